// Asks for a newer picture a few times a second. The server has escaped every text in it.
const view = document.getElementById('view');
const drawn = document.getElementById('drawn');
const state = document.getElementById('state');
let version = 0;

view.addEventListener('change', () => { version = 0; });

async function ask() {
  const asked = view.value;
  let answer;
  try {
    answer = await fetch(`/${asked}/${version}`);
  } catch {
    answer = { status: 410 };
  }
  if (answer.status === 410) {
    state.textContent = 'The lab has ended. This was the last that was seen of it.';
    document.body.className = 'over';
    return;
  }
  if (answer.status === 200 && asked === view.value) {
    const text = await answer.text();
    const line = text.indexOf('\n');
    version = Number(text.slice(0, line));
    drawn.innerHTML = text.slice(line + 1);
  }
  setTimeout(ask, 250);
}
ask();

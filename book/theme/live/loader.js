// In every page of a book with a machine: a button beside each session that it runs. A click loads the rest.
(() => {
  const all = document.querySelectorAll('pre > code.live');
  const say = (button, why) => {
    const said = document.createElement('span');
    said.setAttribute('role', 'status');
    button.replaceWith(said);
    said.textContent = `Cannot run here: ${why}`;
  };
  for (const code of all) {
    const button = document.createElement('button');
    button.className = 'live-run';
    button.textContent = 'Run it here (LIVE_SIZE)';
    button.addEventListener('click', () => {
      if (location.protocol === 'file:') return say(button, 'a browser loads no machine from a file. `cargo xtask book` serves the book.');
      import(new URL(path_to_root + 'live/LIVE_FOLDER/live.js', location)).then(
        live => live.open(code, button),
        () => say(button, 'the browser could not load the machine’s script.'));
    });
    code.parentElement.after(button);
  }
})();

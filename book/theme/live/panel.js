// The lab's panel: its parts, and what stands in them.

import { Numbers } from './session.js';

const VIEWS = [
  ['membership', 'which process is in which namespace'],
  ['pointers', 'the namespaces of each process'],
  ['processes', 'the processes and their pids'],
  ['owners', 'which user namespace owns what'],
];

const FRAME = `
  <header>
    <h2 id="live-title" tabindex="-1">Lab</h2>
    <button type="button" class="live-reset">Reset</button>
    <button type="button" class="live-close">Close</button>
  </header>
  <p class="live-status" role="status"></p>
  <progress class="live-progress" aria-label="Loaded" hidden></progress>
  <div class="live-challenge" hidden>
    <div class="live-ask"></div>
    <pre class="live-table" tabindex="0" role="group" aria-label="What the kernel shows" hidden></pre>
    <div class="live-hints"></div>
  </div>
  <div class="live-commands" hidden>
    <p><button type="button" class="live-all">Send all</button> <span class="live-why"></span></p>
    <ol></ol>
  </div>
  <div class="live-terminal">
    <div class="live-log" role="group" aria-label="What the lab prints" tabindex="0"></div>
    <div class="live-announcer" role="status"></div>
    <p class="live-note" role="status"></p>
    <p class="live-verdict" role="status" hidden></p>
    <label for="live-input">Command</label>
    <div class="live-line">
      <textarea id="live-input" class="live-input" rows="1" autocomplete="off" autocapitalize="off" autocorrect="off" spellcheck="false" enterkeyhint="send" aria-describedby="live-keys"></textarea>
      <button type="button" class="live-send">Send</button>
    </div>
    <p class="live-buttons">
      <button type="button" class="live-interrupt">Ctrl-C</button>
      <button type="button" class="live-eof">Ctrl-D</button>
    </p>
    <p id="live-keys" class="live-keys">Enter sends, Shift and Enter begin a new line, the up and down arrows recall commands. Tab leaves the field, Escape goes back to the text.</p>
  </div>
  <details class="live-drawing">
    <summary>The lab, drawn</summary>
    <label>Show <select class="live-view"></select></label>
    <div class="live-picture"></div>
  </details>
`;

const element = (name, properties, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

export class Panel {
  /** `on` has what to do at each button. */
  constructor(on) {
    this.on = on;
    load_style();
    this.root = element('section', { id: 'live', innerHTML: FRAME });
    this.root.setAttribute('aria-labelledby', 'live-title');
    document.querySelector('#mdbook-page-wrapper, body').after(this.root);
    document.documentElement.classList.add('with-live');
    this.part('view').append(...VIEWS.map(([value, text]) => element('option', { value }, text)));
    this.listen();
  }

  part(name) {
    return this.root.querySelector(`.live-${name}`);
  }

  listen() {
    this.part('reset').addEventListener('click', () => this.on.reset());
    this.part('close').addEventListener('click', () => this.on.close());
    this.part('all').addEventListener('click', () => this.on.run(this.commands));
    this.part('view').addEventListener('change', () => this.on.view(this.view()));
    this.part('drawing').addEventListener('toggle', () => this.on.view(this.view()));
    // mdBook turns the page and searches at keys that mean something else here.
    this.root.addEventListener('keydown', event => event.stopPropagation());
  }

  /** Which drawing is wanted; null for none. */
  view() {
    return this.part('drawing').open ? this.part('view').value : null;
  }

  show(wanted, is_done) {
    this.wanted = wanted;
    this.commands = wanted.commands;
    this.part('challenge').hidden = wanted.challenge === null;
    // Beside the field for the next command, where it is seen on a small screen as well.
    this.part('verdict').hidden = wanted.challenge === null;
    this.part('commands').hidden = this.commands.length === 0;
    this.part('all').hidden = this.commands.length < 2;
    this.part('why').textContent = '';
    this.root.querySelector('h2').textContent = wanted.challenge === null ? 'Lab' : 'Challenge';
    this.part('ask').replaceChildren(...wanted.heading === null ? [] : [wanted.heading.cloneNode(true)]);
    this.part('hints').replaceChildren(...wanted.hints);
    this.is_done = is_done;
    this.judge('not yet', '');
    this.list();
  }

  /** Why a session may print something else than what the page shows. */
  warn(reasons) {
    this.part('why').textContent = reasons.length === 0 ? '' : `Here it may print something else: ${reasons.join(' ')}`;
  }

  /** The commands of the session, each to be sent or to be changed first. */
  list() {
    const rows = this.commands.map(command => {
      const send = element('button', { type: 'button', className: 'live-command' }, element('code', {}, command.text));
      send.addEventListener('click', () => this.on.run([command]));
      const edit = element('button', { type: 'button', className: 'live-edit' }, 'Edit');
      edit.setAttribute('aria-label', `Edit ${command.text}`);
      edit.addEventListener('click', () => this.edit(command.text));
      command.mark = element('span', { className: 'live-mark' });
      return element('li', {}, send, edit, command.mark);
    });
    this.part('commands').querySelector('ol').replaceChildren(...rows);
  }

  edit(text) {
    const input = this.part('input');
    input.value = text;
    input.dispatchEvent(new Event('input'));
    input.focus();
  }

  /** A lab begins: nothing has been sent in it. */
  clear() {
    this.numbers = { page: new Numbers(), lab: new Numbers() };
    for (const { mark } of this.commands) {
      mark.textContent = '';
    }
    this.part('picture').replaceChildren();
    this.part('table').hidden = true;
  }

  /** Compares what a command printed with what the page shows. */
  ran(command, printed) {
    const { page, lab } = this.numbers;
    const text = (lines, numbers) => numbers.small(lines.map(line => line.trimEnd()).join('\n')).trimEnd();
    const [shown, here] = [text(command.printed, page), text(printed, lab)];
    const words = text => text.split(/\s+/).join(' ');
    command.mark.textContent = shown === here ? 'as on the page'
      // On a terminal ls(1) prints several names to a line; the page was recorded without one.
      : words(shown) === words(here) ? 'as on the page, on other lines'
        : 'not as on the page';
  }

  judge(state, text) {
    const verdict = this.part('verdict');
    const table = this.part('table');
    verdict.dataset.state = state;
    verdict.textContent = {
      'done': 'Done: the kernel shows what is asked.',
      'wrong': `Not yet: ${text}`,
      'not yet': this.is_done ? 'Not yet. You have done it before, in this browser.' : 'Not yet.',
    }[state];
    table.hidden = state !== 'done';
    if (state === 'done') {
      table.textContent = text;
    }
  }

  /** The agent's program has escaped every text in it. */
  draw(svg) {
    this.part('picture').innerHTML = svg ?? '<p>There is nothing to draw yet.</p>';
  }

  say(text) {
    this.part('status').textContent = text;
  }

  progress(done, all) {
    const bar = this.part('progress');
    bar.hidden = done === null;
    if (done !== null) {
      [bar.value, bar.max] = [done, all];
      this.say_rarely(`Loading: ${megabytes(done)} of ${megabytes(all)} MB`);
    }
  }

  /** A screen reader would read each step. */
  say_rarely(text) {
    const now = performance.now();
    if (now - (this.said ?? -Infinity) > 1000) {
      this.said = now;
      this.say(text);
    }
  }

  /** Focus goes on to the command, if the reader has not gone elsewhere. */
  ready() {
    if (document.activeElement === this.root.querySelector('h2')) {
      this.part('input').focus({ preventScroll: true });
    }
  }

  focus() {
    this.root.querySelector('h2').focus({ preventScroll: true });
  }

  hide() {
    document.documentElement.classList.remove('with-live');
  }

  remove() {
    this.root.remove();
  }
}

function megabytes(bytes) {
  return (bytes / 1e6).toFixed(1);
}

function load_style() {
  const href = new URL('live.css', import.meta.url).href;
  if (document.querySelector(`link[href="${href}"]`) === null) {
    document.head.append(element('link', { rel: 'stylesheet', href }));
  }
}

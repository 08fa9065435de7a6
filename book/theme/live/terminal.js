// A terminal for lines: what the lab prints is a log, and what is typed is a text field. There is no cursor to
// move, so a program that draws a screen is not for it; a screen reader and a phone read it as any other text.

const MOST_LINES = 2000;
const MOST_WIDE = 4000; // characters; a longer line goes on in the next
const MOST_WAITING = 50_000; // characters that wait to be shown
const LEAST_WAITING = 500; // the same, where showing them is slow: characters of many alphabets take long to lay out
const SLOW = 80; // milliseconds of showing
const SHOWS = 60; // milliseconds between two looks of the screen
const QUIET = 700; // milliseconds without output before it is announced
const MOST_ANNOUNCED = 6; // lines
/** The kernel's terminal keeps no more of a line (N_TTY_BUF_SIZE), and drops the rest. */
const LONGEST_LINE = 4095; // bytes

/** The agent puts it before each prompt, which is `# `, `$ ` or `> `. */
const PROMPT = '\x1e';
const PROMPT_LENGTH = 2;

export class Terminal {
  /** `send` is called with what is typed, `leave` when the reader goes back to the text. */
  constructor(root, send, leave) {
    this.send = send;
    this.leave = leave;
    this.log = root.querySelector('.live-log');
    this.input = root.querySelector('.live-input');
    this.announcer = root.querySelector('.live-announcer');
    this.note = root.querySelector('.live-note');
    this.history = [];
    this.place = 0;
    this.waiting_for_prompt = [];
    this.listen(root);
    this.clear();
  }

  clear() {
    this.decoder = new TextDecoder();
    this.log.replaceChildren();
    this.line = this.add_line();
    this.pending = '';
    this.dropped = 0;
    this.took = 0;
    this.most = MOST_WAITING;
    this.escape = '';
    this.returns = false;
    this.until_prompt = 0;
    this.captured = null;
    this.fresh = [];
    this.note.textContent = '';
  }

  focus() {
    this.input.focus({ preventScroll: true });
  }

  // What is printed

  write(bytes) {
    this.pending += this.decoder.decode(bytes, { stream: true });
    if (this.pending.length > this.most) {
      const gone = this.pending.length - this.most;
      this.dropped += gone;
      this.pending = this.pending.slice(gone);
    }
    // At most a third of the time goes into showing, or a flood would leave the page none.
    this.timer ??= setTimeout(() => this.show(), Math.max(SHOWS, 2 * this.took));
  }

  /** Shows what has come, in one go. */
  show() {
    this.timer = null;
    const begin = performance.now();
    const [text, dropped] = [this.pending, this.dropped];
    [this.pending, this.dropped] = ['', 0];
    const follows = this.log.scrollTop + this.log.clientHeight > this.log.scrollHeight - 40;
    if (dropped > 0) {
      this.end_line(`… ${dropped} characters came too fast to be shown …`);
    }
    for (const character of text) {
      this.take(character);
    }
    this.flush_line();
    this.forget();
    if (follows) {
      this.log.scrollTop = this.log.scrollHeight;
    }
    this.took = performance.now() - begin;
    this.most = this.took > SLOW ? Math.max(LEAST_WAITING, Math.floor(text.length / 2)) : Math.min(MOST_WAITING, 2 * this.most);
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => this.announce(), QUIET);
  }

  take(character) {
    if (this.escape !== '') {
      this.take_escape(character);
    } else if (character === PROMPT) {
      this.until_prompt = PROMPT_LENGTH;
    } else if (character === '\x1b') {
      this.escape = character;
    } else if (character === '\n') {
      this.end_line();
    } else if (character === '\r') {
      this.returns = true;
    } else if (character === '\b') {
      this.text = this.text.slice(0, -1);
    } else if (character >= ' ' || character === '\t') {
      this.add(character);
    } else if (character !== '\x07') {
      this.add(String.fromCharCode(0x2400 + character.charCodeAt(0))); // ␀ and its like
    }
  }

  /** What moves a cursor is left out: CSI to its last letter, OSC to its BEL, else one character. */
  take_escape(character) {
    this.escape += character;
    const [, kind] = this.escape;
    const ends = kind === '[' ? this.escape.length > 2 && character >= '@'
      : kind === ']' ? character === '\x07' || this.escape.length > 200
        : true;
    if (ends) {
      this.escape = '';
    }
  }

  add(character) {
    if (this.returns) {
      this.text = '';
      this.returns = false;
    }
    this.text += character;
    if (this.until_prompt > 0 && --this.until_prompt === 0) {
      this.meet_prompt();
    }
    if (this.text.length >= MOST_WIDE) {
      this.end_line();
    }
  }

  end_line(note) {
    this.returns = false;
    if (note !== undefined) {
      this.text += note;
    }
    this.flush_line();
    this.captured?.push(this.text);
    this.fresh.push(this.text);
    this.line = this.add_line();
  }

  flush_line() {
    if (this.line.data !== this.text) {
      this.line.data = this.text;
    }
  }

  add_line() {
    this.text = '';
    const line = document.createElement('div');
    const text = document.createTextNode('');
    line.append(text);
    this.log.append(line);
    return text;
  }

  forget() {
    while (this.log.childElementCount > MOST_LINES) {
      this.log.firstElementChild.remove();
    }
    if (this.fresh.length > MOST_LINES) {
      this.fresh.splice(0, this.fresh.length - MOST_LINES);
    }
    if (this.captured?.length > MOST_LINES) {
      this.captured.splice(0, this.captured.length - MOST_LINES);
    }
  }

  /** Says the end of what was printed to a screen reader, once it is quiet. */
  announce() {
    const lines = this.fresh.splice(0).filter(line => line.trim() !== '');
    const last = lines.slice(-MOST_ANNOUNCED);
    const more = lines.length - last.length;
    this.announcer.textContent = (more > 0 ? `${more} lines, and then: ` : '') + last.join('\n');
  }

  // What waits for a prompt

  /** Resolves at the next prompt, to the lines since the last one was awaited; to null if there will be none. */
  next_prompt() {
    this.captured = [];
    return new Promise(resolve => this.waiting_for_prompt.push(resolve));
  }

  meet_prompt() {
    this.answer(this.captured);
  }

  /** Nothing more will come: what waits is told. */
  stop() {
    this.answer(null);
  }

  answer(lines) {
    this.captured = null;
    for (const resolve of this.waiting_for_prompt.splice(0)) {
      resolve(lines);
    }
  }

  // What is typed

  /** Types a command, each line when the shell waits for it. Returns the lines that it printed, null if it was broken off. */
  async run(command) {
    const lines = command.split('\n');
    if (!this.fits(lines)) {
      return null;
    }
    let printed = null;
    for (const line of lines) {
      const prompt = this.next_prompt();
      this.send(`${line}\n`);
      printed = await prompt;
      if (printed === null) {
        return null;
      }
    }
    // Its first line is what was typed, as the terminal echoes it.
    return printed.slice(1);
  }

  /** Types what stands in the field. Only what has several lines waits for prompts: a program may read the line. */
  async enter() {
    const text = this.input.value;
    const lines = text.split('\n');
    if (!this.fits(lines)) {
      return;
    }
    this.input.value = '';
    this.resize();
    if (text !== '' && text !== this.history.at(-1)) {
      this.history.push(text);
    }
    this.place = this.history.length;
    if (lines.length > 1) {
      await this.run(text);
    } else {
      this.send(`${text}\n`);
    }
  }

  fits(lines) {
    const long = lines.map(line => new TextEncoder().encode(line).length).find(length => length >= LONGEST_LINE);
    this.note.textContent = long === undefined ? ''
      : `Nothing was sent: a line has ${long.toLocaleString('en')} bytes, and the kernel’s terminal takes ${LONGEST_LINE.toLocaleString('en')}.`;
    return long === undefined;
  }

  interrupt() {
    this.stop();
    this.send('\x03');
    this.focus();
  }

  end_of_file() {
    this.send('\x04');
    this.focus();
  }

  listen(root) {
    root.querySelector('.live-send').addEventListener('click', () => this.enter());
    root.querySelector('.live-interrupt').addEventListener('click', () => this.interrupt());
    root.querySelector('.live-eof').addEventListener('click', () => this.end_of_file());
    this.input.addEventListener('keydown', event => this.press(event));
    this.input.addEventListener('input', () => this.resize());
  }

  /** Tab is not among the keys: it leaves the field. */
  press(event) {
    const { input } = this;
    const is_marked = input.selectionStart !== input.selectionEnd;
    const one_line = !input.value.includes('\n');
    const act = {
      'Enter': () => this.enter(),
      'Escape': () => this.leave(),
      'ArrowUp': one_line && (() => this.recall(-1)),
      'ArrowDown': one_line && (() => this.recall(1)),
      'Ctrl-c': !is_marked && (() => this.interrupt()),
      'Ctrl-d': () => this.end_of_file(),
    }[(event.ctrlKey ? 'Ctrl-' : '') + event.key];
    if (act && !event.shiftKey && !event.altKey && !event.metaKey && !event.isComposing) {
      event.preventDefault();
      act();
    }
  }

  /** A command from before, or the one after it. */
  recall(step) {
    const place = this.place + step;
    if (place < 0 || place > this.history.length) {
      return;
    }
    this.place = place;
    this.input.value = this.history[place] ?? '';
    this.resize();
  }

  put(text) {
    this.input.value = text;
    this.resize();
    this.focus();
  }

  /** The field is as high as what stands in it, up to a limit of the stylesheet. */
  resize() {
    this.input.rows = this.input.value.split('\n').length;
  }
}

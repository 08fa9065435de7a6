// A machine that is none: it has the ports of the real one and speaks the same lines, so that the page can be tried
// without an image. Its shell knows a few commands.

const PROMPTS = { 'root-lab': '\x1e# ', 'plain-user': '\x1e$ ' };
const GOAL = 'unshare --uts';

export class V86 {
  #listeners = {};
  #rest = ['', ''];
  #lab = null;
  #loop = null;
  #seed = 'none';

  constructor(options) {
    if (new TextDecoder().decode(options.initial_state.buffer) !== 'a saved state\n') {
      throw new Error('this state is of another version');
    }
    setTimeout(() => this.#say('emulator-ready'));
  }

  add_listener(name, listen) {
    this.#listeners[name] = listen;
  }

  async run() {}

  async stop() {}

  async restore_state() {
    clearInterval(this.#loop);
    this.#lab = null;
    this.#seed = 'none';
  }

  serial_send_bytes(port, bytes) {
    const lines = (this.#rest[port] + new TextDecoder().decode(bytes)).split('\n');
    this.#rest[port] = lines.pop();
    for (const line of lines) {
      port === 0 ? this.#type(line) : this.#answer(JSON.parse(line));
    }
    if (port === 0 && this.#rest[0].includes('\x03')) {
      this.#rest[0] = '';
      clearInterval(this.#loop);
      this.#print(`^C\n${this.#prompt()}`);
    }
    if (port === 0 && this.#rest[0].includes('\x04')) {
      this.#rest[0] = '';
      this.#event({ event: 'over' });
    }
  }

  #say(name, value) {
    this.#listeners[name]?.(value);
  }

  #send(port, text) {
    for (const byte of new TextEncoder().encode(text)) {
      this.#say(`serial${port}-output-byte`, byte);
    }
  }

  #print(text) {
    this.#send(0, text.replaceAll('\n', '\r\n'));
  }

  #event(event) {
    this.#send(1, `${JSON.stringify(event)}\n`);
  }

  #prompt() {
    return PROMPTS[this.#lab?.state ?? 'root-lab'];
  }

  #answer(request) {
    const { id } = request;
    switch (request.do) {
      case 'lab':
      case 'challenge':
        if (request.do === 'challenge' && !request.table.includes(request.name)) {
          this.#event({ id, error: `there is no challenge \`${request.name}\`` });
          return;
        }
        this.#lab = { state: 'root-lab', ...request, names: ['lab'] };
        this.#event({ id, ok: { pid: 77 } });
        this.#print(this.#prompt());
        this.#look('not yet', '');
        break;
      case 'draw':
        this.#lab.view = request.view;
        this.#event({ id, ok: null });
        this.#look();
        break;
      case 'seed':
        this.#seed = request.bytes;
        this.#event({ id, ok: null });
        break;
      default:
        this.#event({ id, ok: null });
    }
  }

  #look(state, text) {
    if (this.#lab.do === 'challenge' && state !== undefined) {
      this.#event({ event: 'challenge', state, text });
    }
    if (this.#lab.view) {
      const names = this.#lab.names.map((name, at) => `<text y="${20 * at + 15}">${name}</text>`).join('');
      this.#event({ event: 'picture', view: this.#lab.view, svg: `<svg class="picture" role="img" aria-label="The lab" viewBox="0 0 360 60">${names}</svg>` });
    }
  }

  #type(line) {
    this.#print(`${line}\n`);
    const [word, ...words] = line.split(' ');
    const rest = words.join(' ');
    switch (word) {
      case 'echo': this.#print(`${rest}\n`); break;
      case 'random': this.#print(`seeded with ${this.#seed}\n`); break;
      case 'id': this.#print(this.#lab.state === 'root-lab' ? '0\n' : '1000\n'); break;
      case 'readlink': this.#print('uts:[4026531838]\n'); break;
      case 'binary':
        this.#send(0, '\0\x01\x1b[31mred\x1b[0m\x7f');
        this.#say('serial0-output-byte', 0xff); // no UTF-8
        this.#print('\n');
        break;
      case 'long': this.#print(`${'x'.repeat(Number(rest))}\n`); break;
      case 'flood': this.#loop = setInterval(() => this.#print('flood flood flood\n'.repeat(400)), 5); return;
      case 'crash': setTimeout(() => { throw new Error('the emulator fell over'); }); return;
      case 'hostname': this.#lab.names = [rest]; this.#look('wrong', 'The lab itself has been renamed.'); break;
      case 'if': this.#print('\x1e> '); return;
    }
    if (line.startsWith(GOAL)) {
      this.#lab.names = ['lab', 'otter'];
      this.#look('done', 'process   uts\nlab       A\nsleep     B');
    }
    this.#print(this.#prompt());
  }
}

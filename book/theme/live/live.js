// What a click on "Run it here" opens: one lab at a time, beside the text.

import { Agent } from './agent.js';
import { is_done, keep_done } from './done.js';
import { Machine, obstacle } from './machine.js';
import { Panel } from './panel.js';
import { session } from './session.js';
import { load } from './store.js';
import { Terminal } from './terminal.js';

const HERE = new URL('.', import.meta.url);
let lab = null;
let worker = null;

/** The address of the emulator's script. The page keeps its text: a new emulator is made without a network, too. */
async function worker_script() {
  if (worker === null) {
    const answer = await fetch(new URL('worker.js', HERE)).catch(() => null);
    if (!answer?.ok) {
      throw new Error('The script of the emulator did not come.');
    }
    worker = URL.createObjectURL(new Blob([await answer.text()], { type: 'text/javascript' }));
  }
  return worker;
}

/** Opens the lab of a session or of a challenge, in the place of the one that is open. */
export function open(code, opener) {
  const wanted = session(code);
  if (lab?.continues(wanted)) {
    lab.show(wanted, opener);
    return;
  }
  lab ??= new Lab();
  lab.begin(wanted, opener);
}

class Lab {
  constructor() {
    this.panel = new Panel({
      reset: () => this.reset(),
      close: () => this.close(),
      run: commands => this.run(commands),
      view: view => this.agent?.draw(view),
    });
    this.terminal = new Terminal(this.panel.part('terminal'), text => this.type(text), () => this.leave());
    this.wanted = null;
    this.machine = null;
    this.agent = null;
    // Counts labs: what belongs to one before is over.
    this.turn = 0;
    this.watch_visibility();
  }

  /** Whether a session goes on in the shell that is open. */
  continues(wanted) {
    return this.alive && wanted.shell !== null && wanted.shell === this.wanted.shell;
  }

  /** Starts the lab of a session. Loads the machine first if there is none. */
  async begin(wanted, opener) {
    const turn = ++this.turn;
    this.show(wanted, opener);
    this.panel.focus();
    const why = obstacle();
    if (why !== null) {
      this.panel.say(`This browser cannot run the machine: ${why} The page is complete without it.`);
      return;
    }
    try {
      await this.start(turn);
    } catch (error) {
      if (turn === this.turn) {
        this.fail(error);
      }
    }
  }

  show(wanted, opener) {
    this.wanted = wanted;
    this.opener = opener;
    this.panel.show(wanted, is_done(wanted.challenge));
    this.warn();
  }

  warn() {
    const { page, begins } = this.wanted;
    const differs = this.parts?.differs.filter(session => session.page === page && begins.includes(session.begins));
    this.panel.warn((differs ?? []).map(({ why }) => why));
  }

  async start(turn) {
    if (this.machine === null) {
      await this.start_machine();
    } else {
      this.panel.say('Resetting …');
      await this.machine.reset();
    }
    if (turn === this.turn) {
      await this.open_shell(turn);
    }
  }

  async start_machine() {
    this.panel.say('Loading …');
    const parts = await load(new URL('../', HERE), (done, all) => this.panel.progress(done, all));
    this.panel.progress(null);
    this.panel.say('Starting …');
    this.parts = parts;
    this.warn();
    const machine = await Machine.start(parts, await worker_script());
    this.machine = machine;
    machine.on_terminal = bytes => this.terminal.write(bytes);
    machine.on_end = why => this.fail(new Error(why));
  }

  /** Asks the agent for the lab, and waits for the shell's first prompt. */
  async open_shell(turn) {
    this.terminal.clear();
    this.panel.clear();
    this.agent = new Agent(this.machine, event => this.hear(event));
    this.agent.set_clock();
    this.agent.seed();
    const { wanted } = this;
    const prompt = this.terminal.next_prompt();
    await this.open_lab(wanted, this.panel.view());
    await prompt;
    if (turn === this.turn) {
      this.alive = true;
      this.panel.say(`Ready: ${wanted.title}.`);
      this.panel.ready();
    }
  }

  /** The saved state has a lab open; any other one is made. */
  async open_lab(wanted, view) {
    if (wanted.challenge !== null) {
      await this.agent.challenge(this.table(wanted), wanted.challenge, view);
    } else if (wanted.state === this.parts.saved && !wanted.ids && !wanted.cgroups) {
      this.agent.draw(view);
      this.type('\n');
    } else {
      await this.agent.lab(wanted, view);
    }
  }

  /** A chapter's challenges as the book has them. */
  table({ chapter }) {
    const table = this.parts.challenges[chapter];
    if (table === undefined) {
      throw new Error(`this copy of the machine has no challenges of ${chapter}`);
    }
    return table;
  }

  async run(commands) {
    const turn = this.turn;
    this.terminal.focus();
    for (const command of commands) {
      const printed = await this.terminal.run(command.text);
      if (turn !== this.turn || printed === null) {
        return;
      }
      this.panel.ran(command, printed);
    }
  }

  type(text) {
    this.machine?.type(text);
  }

  /** What the agent says of the lab. */
  hear(event) {
    switch (event.event) {
      case 'picture':
        this.panel.draw(event.svg);
        break;
      case 'challenge':
        this.panel.judge(event.state, event.text);
        if (event.state === 'done') {
          keep_done(this.wanted.challenge);
        }
        break;
      case 'over':
        this.alive = false;
        this.terminal.stop();
        this.panel.say('The shell has ended, and the lab with it. Reset starts another one.');
        break;
    }
  }

  async reset() {
    this.alive = false;
    this.terminal.stop();
    await this.begin(this.wanted, this.opener);
    this.terminal.focus();
  }

  fail(error) {
    this.alive = false;
    this.terminal.stop();
    this.panel.progress(null);
    this.machine?.stop();
    this.machine = null;
    this.panel.say(`${error.message} Reset tries again.`);
  }

  /** Ends the machine and gives its memory back. */
  close() {
    this.turn += 1;
    this.alive = false;
    this.terminal.stop();
    this.machine?.stop();
    this.machine = null;
    this.panel.hide();
    this.leave();
    this.panel.remove();
    lab = null;
  }

  /** Back to the text, to the button that opened the lab. */
  leave() {
    this.opener?.focus();
  }

  /** A page that is not on the screen wants no news. */
  watch_visibility() {
    document.addEventListener('visibilitychange', () => {
      if (this.alive) {
        this.agent.awake(!document.hidden);
      }
    });
  }
}

// The machine: an emulator in a worker, so that the page answers whatever runs in it.

const STARTS = 30_000; // milliseconds; a phone takes a few thousand
const RESETS = 5_000;

/** Why this browser cannot run the machine; null if it can. */
export function obstacle() {
  if (typeof WebAssembly !== 'object') {
    return 'it has no WebAssembly.';
  }
  if (typeof Worker !== 'function') {
    return 'it has no workers.';
  }
  if (globalThis.crypto?.subtle === undefined) {
    return 'this address is neither https nor localhost, so the browser does not let the page verify what it loads.';
  }
  return null;
}

export class Machine {
  on_terminal = () => {};
  on_agent = () => {};
  on_end = () => {};

  static async start(parts, script) {
    const machine = new Machine(parts, script);
    await machine.restart();
    return machine;
  }

  constructor(parts, script) {
    this.parts = parts;
    this.script = script;
    this.worker = null;
  }

  restart() {
    this.stop();
    this.worker = new Worker(this.script, { type: 'module' });
    this.worker.onmessage = ({ data }) => this.hear(data);
    this.worker.onerror = event => this.end(`The emulator stopped: ${event.message ?? 'no reason given'}.`);
    const { emulator, wasm, state, machine } = this.parts;
    this.worker.postMessage({ do: 'start', emulator, wasm, state, machine });
    return this.until_ready(STARTS);
  }

  /** Puts the saved state back. A worker that does not answer is replaced. */
  async reset() {
    this.worker.postMessage({ do: 'reset' });
    try {
      await this.until_ready(RESETS);
    } catch {
      await this.restart();
    }
  }

  until_ready(patience) {
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error('The machine does not start.'));
      const timer = setTimeout(late, patience);
      this.became_ready = () => {
        clearTimeout(timer);
        resolve();
      };
      this.refused = why => {
        clearTimeout(timer);
        reject(new Error(why));
      };
    });
  }

  hear({ is, bytes, why }) {
    switch (is) {
      case 'ready': return this.became_ready();
      case 'terminal': return this.on_terminal(bytes);
      case 'agent': return this.on_agent(bytes);
      case 'ended': return this.end(`The emulator stopped: ${why}.`);
    }
  }

  end(why) {
    this.refused?.(why);
    this.on_end(why);
  }

  type(text) {
    this.worker?.postMessage({ do: 'type', text });
  }

  ask(text) {
    this.worker?.postMessage({ do: 'ask', text });
  }

  stop() {
    this.worker?.terminate();
    this.worker = null;
  }
}

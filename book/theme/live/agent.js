// The agent in the machine: one JSON text a line, questions and answers and events.

const PATIENCE = 20_000; // milliseconds, far longer than any answer takes

export class Agent {
  constructor(machine, hear) {
    this.machine = machine;
    this.hear = hear;
    this.asked = new Map();
    this.last = 0;
    this.rest = '';
    this.decoder = new TextDecoder();
    machine.on_agent = bytes => this.read(bytes);
  }

  read(bytes) {
    const lines = (this.rest + this.decoder.decode(bytes, { stream: true })).split('\n');
    this.rest = lines.pop();
    for (const line of lines) {
      this.understand(line);
    }
  }

  understand(line) {
    let said;
    try {
      said = JSON.parse(line);
    } catch {
      return; // what was on its way when the machine was reset
    }
    if (said.event !== undefined) {
      this.hear(said);
      return;
    }
    const asked = this.asked.get(said.id);
    this.asked.delete(said.id);
    if (said.error === undefined) {
      asked?.resolve(said.ok);
    } else {
      asked?.reject(new Error(`The machine says: ${said.error}.`));
    }
  }

  ask(request) {
    const id = ++this.last;
    this.machine.ask(`${JSON.stringify({ id, ...request })}\n`);
    return new Promise((resolve, reject) => {
      this.asked.set(id, { resolve, reject });
      setTimeout(() => reject(new Error('The machine does not answer.')), PATIENCE);
    });
  }

  /** Sends a request whose answer nothing waits for. */
  tell(request) {
    this.ask(request).catch(() => {});
  }

  set_clock() {
    this.tell({ do: 'clock', seconds: Math.floor(Date.now() / 1000) });
  }

  /** Every machine begins with the same saved state: without this each reader would get the same random numbers. */
  seed() {
    const bytes = crypto.getRandomValues(new Uint8Array(32));
    this.tell({ do: 'seed', bytes: Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('') });
  }

  lab({ state, ids, cgroups }, view) {
    return this.ask({ do: 'lab', state, ids, cgroups, view });
  }

  challenge(table, name, view) {
    return this.ask({ do: 'challenge', table, name: name.split('/')[1], view });
  }

  draw(view) {
    this.tell({ do: 'draw', view });
  }

  awake(awake) {
    this.tell({ do: 'awake', awake });
  }
}

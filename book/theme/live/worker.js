// The emulator's thread. It knows bytes, not what they mean.

const PORTS = ['terminal', 'agent'];
/** What the machine does without. */
const WITHOUT = {
  disable_keyboard: true, disable_mouse: true, disable_speaker: true, net_device: { type: 'none' }, log_level: 0,
};
const SETTLES = 100; // milliseconds that a restored machine takes before it reads its ports
const GATHERS = 8; // milliseconds of output that are sent at once

let emulator = null;
let state = null;

self.onmessage = async ({ data }) => {
  try {
    await actions[data.do](data);
  } catch (error) {
    postMessage({ is: 'ended', why: error.message ?? String(error) });
  }
};
// What the emulator throws while it runs comes here.
self.onunhandledrejection = event => postMessage({ is: 'ended', why: String(event.reason?.message ?? event.reason) });

const actions = {
  async start(parts) {
    state = parts.state;
    const url = URL.createObjectURL(new Blob([parts.emulator], { type: 'text/javascript' }));
    const { V86 } = await import(url);
    URL.revokeObjectURL(url);
    emulator = new V86({
      ...WITHOUT,
      ...parts.machine,
      autostart: false,
      wasm_fn: async imports => (await WebAssembly.instantiate(parts.wasm, imports)).instance.exports,
      initial_state: { buffer: state.slice().buffer },
    });
    const is_ready = new Promise(resolve => emulator.add_listener('emulator-ready', resolve));
    for (const [number, port] of PORTS.entries()) {
      emulator.add_listener(`serial${number}-output-byte`, gatherer(port));
    }
    await is_ready;
    await run();
  },

  async reset() {
    await emulator.stop();
    await emulator.restore_state(state.slice().buffer);
    await run();
  },

  type: ({ text }) => emulator.serial_send_bytes(0, new TextEncoder().encode(text)),
  ask: ({ text }) => emulator.serial_send_bytes(1, new TextEncoder().encode(text)),
};

async function run() {
  await emulator.run();
  await new Promise(resolve => setTimeout(resolve, SETTLES));
  postMessage({ is: 'ready' });
}

/** Collects the bytes of a port, and sends what has come together. */
function gatherer(port) {
  let bytes = [];
  return byte => {
    if (bytes.length === 0) {
      setTimeout(() => {
        postMessage({ is: port, bytes: Uint8Array.from(bytes) });
        bytes = [];
      }, GATHERS);
    }
    bytes.push(byte);
  };
}

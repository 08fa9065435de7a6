// A machine under node: booted from a kernel, or restored from a saved state. The page makes one in the same way.
//
// The first serial port is the terminal of the lab's shell. The second is the agent's: one request a line, one answer a
// line, both JSON (xtask/live/agent).
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

export const MEMORY = 64;

export function bytes(file) {
    const read = readFileSync(file);
    return read.buffer.slice(read.byteOffset, read.byteOffset + read.length);
}

export class Machine {
    // `emulator` is the folder with libv86.mjs and v86.wasm; `options` are those of V86.
    static async start(emulator, options) {
        const { V86 } = await import(pathToFileURL(`${emulator}/libv86.mjs`));
        return new Machine(new V86({
            wasm_path: `${emulator}/v86.wasm`, memory_size: MEMORY << 20, vga_memory_size: 1 << 20, autostart: false,
            uart1: true, acpi: false, disable_keyboard: true, disable_mouse: true, disable_speaker: true,
            net_device: { type: "none" }, log_level: 0, ...options,
        }));
    }

    constructor(v86) {
        this.v86 = v86;
        this.printed = "";
        this.last = 0;
        this.answers = new Map();
        this.listeners = new Set();
        const console = new TextDecoder();
        v86.add_listener("serial0-output-byte", byte => {
            this.printed += console.decode(Uint8Array.of(byte), { stream: true });
            if (process.env.LIVE_ECHO) process.stderr.write(Uint8Array.of(byte));
            for (const listener of [...this.listeners]) listener();
        });
        let line = [];
        v86.add_listener("serial1-output-byte", byte => {
            if (byte !== 10) return line.push(byte);
            const text = new TextDecoder().decode(Uint8Array.from(line));
            line = [];
            this.answered(text);
        });
        // Before anything is awaited: it may come at once.
        this.ready = new Promise(resolve => v86.add_listener("emulator-ready", resolve));
    }

    answered(text) {
        let answer;
        try { answer = JSON.parse(text); } catch { return; }
        const waits = this.answers.get(answer.id);
        this.answers.delete(answer.id);
        waits?.(answer);
    }

    async run() {
        await this.ready;
        this.v86.run();
    }

    // Sends what is typed, as fast as the port takes it.
    type(text) {
        this.v86.serial_send_bytes(0, new TextEncoder().encode(text));
    }

    // Waits until the lab's shell has printed something since `from`.
    until(pattern, milliseconds, from = 0) {
        return this.within(milliseconds, `the machine does not print ${pattern}`, resolve => {
            const look = () => {
                const found = this.printed.slice(from).match(pattern);
                if (!found) return;
                this.listeners.delete(look);
                resolve(found);
            };
            this.listeners.add(look);
            look();
        });
    }

    // Asks the agent, and returns its result.
    async ask(request, milliseconds) {
        const id = ++this.last;
        const answer = await this.within(milliseconds, `the agent does not answer ${request.do}`, resolve => {
            this.answers.set(id, resolve);
            this.v86.serial_send_bytes(1, new TextEncoder().encode(JSON.stringify({ id, ...request }) + "\n"));
        });
        if ("error" in answer) throw new Error(answer.error);
        return answer.ok;
    }

    async within(milliseconds, what, start) {
        let timer;
        const late = new Promise((_, reject) => {
            timer = setTimeout(
                () => reject(new Error(`${what} within ${milliseconds} ms; its console: ${JSON.stringify(this.printed.slice(-800))}`)),
                milliseconds);
        });
        try { return await Promise.race([new Promise(start), late]); } finally { clearTimeout(timer); }
    }
}

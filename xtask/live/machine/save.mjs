// node save.mjs EMULATOR KERNEL STATE: boots the machine to the prompt of a root lab, and saves it there.
import { writeFileSync } from "node:fs";
import { Machine, bytes } from "./machine.mjs";

const [emulator, kernel, out] = process.argv.slice(2);
const PATIENCE = 600_000;

// SeaBIOS keeps a quarter of so little memory to itself, hence `memmap`. Freed memory is wiped, so that the saved state
// has zeros there, and packs.
const COMMAND = "console=ttyS0 loglevel=0 tsc=reliable mitigations=off nokaslr panic=-1 rootfstype=ramfs init_on_free=1 " +
    "memmap=exactmap memmap=639K@0 memmap=63M@1M random.trust_cpu=on";

const begin = performance.now();
const seconds = () => ((performance.now() - begin) / 1000).toFixed(1) + " s";
const machine = await Machine.start(emulator, {
    bios: { buffer: bytes(`${emulator}/bios.bin`) }, vga_bios: { buffer: bytes(`${emulator}/vgabios.bin`) },
    bzimage: { buffer: bytes(kernel) }, cmdline: process.env.LIVE_COMMAND ?? COMMAND,
});
await machine.run();
// The agent reads its port only from then on.
await machine.until(/ready\r?\n/, PATIENCE);
console.log(`booted after ${seconds()}`);
await machine.ask({ do: "lab", state: "root-lab" }, PATIENCE);
await machine.until(/# $/, PATIENCE);
console.log(`a prompt after ${seconds()}`);
console.log(JSON.stringify(await machine.ask({ do: "settle" }, PATIENCE)));
await new Promise(resolve => setTimeout(resolve, 2000));
await machine.v86.stop();
const state = await machine.v86.save_state();
writeFileSync(out, Buffer.from(state));
console.log(`saved ${(state.byteLength / 1e6).toFixed(1)} MB after ${seconds()}`);
process.exit(0);

// node replay.mjs EMULATOR STATE: one request of the agent a line on standard input, one answer a line on standard output.
// A machine that does not answer is replaced by a fresh one.
import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { Machine, bytes } from "./machine.mjs";

const [emulator, file] = process.argv.slice(2);
const PATIENCE = 240_000;
const state = bytes(file);

async function fresh() {
    const machine = await Machine.start(emulator, { initial_state: { buffer: state.slice(0) } });
    await machine.run();
    // A port that has just been restored loses what comes at once.
    await new Promise(resolve => setTimeout(resolve, 100));
    await machine.ask({ do: "clock", seconds: Math.floor(Date.now() / 1000) }, 30_000);
    await machine.ask({ do: "seed", bytes: randomBytes(32).toString("hex") }, 30_000);
    return machine;
}

let machine = await fresh();
for await (const line of createInterface({ input: process.stdin })) {
    let answer;
    const begin = performance.now();
    try {
        answer = { ok: await machine.ask(JSON.parse(line), PATIENCE) };
    } catch (error) {
        answer = { error: error.message };
        if (error.message.includes("does not answer")) {
            await machine.v86.destroy();
            machine = await fresh();
        }
    }
    answer.milliseconds = Math.round(performance.now() - begin);
    console.log(JSON.stringify(answer));
}
process.exit(0);

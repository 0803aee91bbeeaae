/** A thread of the kernel's that notices interrupts whatever the main thread does (interrupts.mjs). */
import { spawn } from "node:child_process";
import { Session } from "node:inspector";
import { parentPort, workerData } from "node:worker_threads";

/** @typedef {{ number: number, cell: number }} Interrupt its number, from 1, and that of the cell that ran */

/** How long the main thread may take to notice an interrupt by itself. */
const PATIENCE_MS = 1000;
/** Places in the shared counters, as in cells.mjs, which is of the main thread. */
const WORKS = 0;
const RUNNING = 1;

/**
 * Threads get no signals, but a process does that stands beside the kernel: Jupyter interrupts them together. This
 * one says each interrupt on its standard output, and ends when its standard input does.
 */
const BELL = `trap 'rung=1; echo' INT; while :; do rung=; read -r _ || test -n "$rung" || exit; done`;

/** @type {unknown} */
const shared = workerData;
const counters = new Int32Array(/** @type {SharedArrayBuffer} */ (shared));
let interrupts = 0;
let answered = 0;

parentPort?.on("message", (/** @type {number} */ number) => {
  answered = number;
});

const bell = spawn("sh", ["-c", BELL], { stdio: ["pipe", "pipe", "ignore"] });
bell.on("error", () => undefined); // without a shell only code that gives way can be interrupted
bell.stdout.on("data", () => {
  const isStuck = answered < interrupts;
  const number = ++interrupts;
  parentPort?.postMessage({ number, cell: Atomics.load(counters, RUNNING) });
  // Work that can end by itself is left to it, unless it is interrupted once more.
  if (Atomics.load(counters, WORKS) === 0 || isStuck) setTimeout(endStuckCode, PATIENCE_MS, number);
});

function endStuckCode(/** @type {number} */ number) {
  if (answered >= number) return;
  const session = new Session();
  session.connectToMainThread();
  session.post("Runtime.terminateExecution", () => {
    session.disconnect();
  });
}

/**
 * Interrupts. Node hands a signal to its listeners only between two pieces of code, so that code that never gives way
 * (`await x; while (true) {}`) would never end; and it may lose one that comes while code adds a listener. So a thread
 * of its own notices each interrupt, tells of it, and ends code that does not give way.
 */
import process from "node:process";
import { Worker } from "node:worker_threads";
import { runningCell, shared } from "./cells.mjs";

/** The thread tells of an interrupt sooner than this; else it got none: only this process was sent the signal. */
const THREAD_TELLS_MS = 300;
/** On a busy machine either may be later; what comes after this is another interrupt. */
const LATEST_MS = 10_000;

/** @typedef {{ cell: number, at: number, isDone: boolean }} Signal the cell that ran, when, whether it is ended for it */

/** Those that came to this process and that the thread has not told of. @type {Signal[]} */
let untold = [];

function remember(/** @type {boolean} */ isDone) {
  const at = performance.now();
  const signal = { cell: runningCell(), at, isDone };
  untold = [...untold.filter((one) => one.at > at - LATEST_MS), signal];
  return signal;
}

/** To be called where Node caught an interrupt itself, in a cell's first part, and ended the cell. */
export function caughtByNode() {
  remember(true);
}

export function listenForInterrupts(/** @type {() => void} */ onInterrupt) {
  /** When the thread told of one that has not come here yet. */
  let toldAt = -Infinity;
  const interrupt = (/** @type {number} */ cell) => {
    if (cell === runningCell()) onInterrupt(); // else it has ended since
  };
  const watcher = new Worker(new URL("./interrupt-watcher.mjs", import.meta.url), { workerData: shared });
  watcher.on("message", (/** @type {import("./interrupt-watcher.mjs").Interrupt} */ { number, cell }) => {
    watcher.postMessage(number); // to answer is to give way
    const now = performance.now();
    untold = untold.filter(({ at }) => at > now - LATEST_MS);
    // The cell that the thread saw may be the one after that which was interrupted.
    const signal = untold.shift();
    if (signal === undefined) toldAt = now;
    if (signal?.isDone !== true) interrupt(signal?.cell ?? cell);
  });
  watcher.on("error", () => undefined);
  watcher.unref();
  process.on("SIGINT", () => {
    const isTold = toldAt > performance.now() - LATEST_MS;
    toldAt = -Infinity;
    if (isTold) return;
    const signal = remember(false);
    setTimeout(() => {
      if (!untold.includes(signal)) return;
      signal.isDone = true;
      interrupt(signal.cell);
    }, THREAD_TELLS_MS);
  });
}

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

export function listenForInterrupts(/** @type {() => void} */ onInterrupt) {
  let toldAt = -Infinity;
  const interrupt = (/** @type {number} */ cell) => {
    if (cell === runningCell()) onInterrupt(); // else it has ended since, as by Node's own doing
  };
  const watcher = new Worker(new URL("./interrupt-watcher.mjs", import.meta.url), { workerData: shared });
  watcher.on("message", (/** @type {import("./interrupt-watcher.mjs").Interrupt} */ { number, cell }) => {
    watcher.postMessage(number); // to answer is to give way
    toldAt = performance.now();
    interrupt(cell);
  });
  watcher.on("error", () => undefined);
  watcher.unref();
  process.on("SIGINT", () => {
    const cell = runningCell();
    const early = performance.now() - THREAD_TELLS_MS;
    setTimeout(() => {
      if (toldAt < early) interrupt(cell);
    }, THREAD_TELLS_MS);
  });
}

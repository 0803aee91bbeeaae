/**
 * The cells that were executed, as the library (lib/util/stopping.ts) and the interrupt see them: which cell a piece
 * of code belongs to, and what of it can end by itself.
 */
import { createRequire } from "node:module";
import { constants } from "node:os";
import process from "node:process";
import { rememberCell } from "./source-maps.mjs";

/** @typedef {{ signal: AbortSignal, waitFor(work: Promise<unknown>): void }} NotebookCell as in lib/util/stopping.ts */

/** What tslab says of a cell that it ends while it waits. */
export const INTERRUPTED = "Interrupted asynchronously";

/** For other threads: how many pieces of work there are that can end by themselves, and the running cell's number. */
export const shared = new SharedArrayBuffer(8);
const counters = new Int32Array(shared);
const WORKS = 0;
const RUNNING = 1;

/** @implements {NotebookCell} */
export class Cell {
  #controller = new AbortController();
  /** @type {Set<Promise<unknown>>} */
  #works = new Set();
  /** @type {(reason: Error) => void} */
  #giveUp = () => undefined;
  /** Rejects when the cell is to end whatever it waits for. @type {Promise<never>} */
  givenUp = new Promise((_resolve, reject) => {
    this.#giveUp = reject;
  });

  constructor(/** @type {string} */ code) {
    this.code = code;
    this.givenUp.catch(() => undefined);
  }

  get signal() {
    return this.#controller.signal;
  }

  waitFor(/** @type {Promise<unknown>} */ work) {
    this.#works.add(work);
    if (Atomics.add(counters, WORKS, 1) === 0) process.on("SIGTERM", endAfterWork);
    const forget = () => {
      this.#works.delete(work);
      if (Atomics.sub(counters, WORKS, 1) === 1) process.off("SIGTERM", endAfterWork);
    };
    work.then(forget, forget);
  }

  get works() {
    return [...this.#works];
  }

  giveUp() {
    this.#giveUp(new Error(INTERRUPTED));
  }

  /** Asks all that the cell has begun to end; gives a promise of that end. */
  async stop() {
    this.#controller.abort();
    await Promise.allSettled(this.#works);
  }
}

/** @type {Cell[]} */
const cells = [];

/** How the script of a cell is named in stack traces. */
const nameOf = (/** @type {number} */ index) => `cell-${String(index + 1)}`;

export function beginCell(/** @type {string} */ code) {
  const cell = new Cell(code);
  Atomics.store(counters, RUNNING, cells.push(cell));
  return cell;
}

export function endCell() {
  Atomics.store(counters, RUNNING, 0);
}

/** The number of the cell that is running, or 0. */
export const runningCell = () => Atomics.load(counters, RUNNING);

/** Cells with work that can end by itself. */
export const cellsAtWork = () => cells.filter(({ works }) => works.length > 0);

/** Asks all work to end, and waits for it. */
export async function stopAllWork() {
  await Promise.all(cellsAtWork().map((cell) => cell.stop()));
}

/** For a kernel that is told to end while there is work. At other times the signal ends even code that gives no way. */
function endAfterWork() {
  void stopAllWork().then(() => process.exit(128 + constants.signals.SIGTERM));
}

/**
 * The cell that the calling code belongs to, even when another one runs by now: of the cells on the stack, through
 * all that was awaited, the last begun. AsyncLocalStorage would tell it too, but Node ends with an assertion when
 * code under it is interrupted.
 */
function callingCell() {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = Infinity;
  const stack = new Error().stack ?? "";
  Error.stackTraceLimit = stackTraceLimit;
  const numbers = [...stack.matchAll(/\bcell-(\d+):\d+/g)].map(([, digits]) => Number(digits));
  return numbers.length === 0 ? cells.at(-1) : cells[Math.max(...numbers) - 1];
}

/** Makes cells known to the library, and gives their scripts names. */
export function nameCells() {
  Object.assign(globalThis, { [Symbol.for("anytime-cascade.cell")]: callingCell });
  /** @type {unknown} */
  const required = createRequire(import.meta.url)("node:vm");
  const vm = /** @type {typeof import("node:vm")} */ (required);
  const run = /** @type {(code: string, options?: unknown) => unknown} */ (vm.runInThisContext);
  const runNamed = (/** @type {string} */ code, /** @type {unknown} */ options) => {
    if (!isOfCell(options)) return run(code, options);
    const name = nameOf(cells.length - 1);
    rememberCell(name, cells.at(-1)?.code ?? "", code);
    return run(code, { ...options, filename: name, displayErrors: false });
  };
  vm.runInThisContext = /** @type {typeof vm.runInThisContext} */ (runNamed);
}

/** Only tslab's executor asks for this. @returns {options is object} */
const isOfCell = (/** @type {unknown} */ options) =>
  typeof options === "object" && options !== null && "breakOnSigint" in options;

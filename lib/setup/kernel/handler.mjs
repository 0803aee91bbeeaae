/** Executes cells: tslab's answers to a notebook, with its execution of a cell replaced. */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { beginCell, cellsAtWork, endCell, INTERRUPTED } from "./cells.mjs";
import { JupyterHandlerImpl, setDisplay, typescriptExecutor } from "./tslab.mjs";

/** @typedef {import("./cells.mjs").Cell} Cell */
/** @typedef {import("./tslab.mjs").ExecuteRequest} ExecuteRequest */
/** @typedef {import("./tslab.mjs").ExecuteReply} ExecuteReply */
/** @typedef {import("./tslab.mjs").WriteStream} WriteStream */
/** @typedef {import("./tslab.mjs").WriteDisplay} WriteDisplay */

/** What an interrupted cell's own code gets to end, once all that was waited for has. */
const GRACE_MS = 100;

/** An error as a reader of the notebook wants it: those meant for the person at the keyboard have no stack. */
function errorText(/** @type {unknown} */ error) {
  if (!(error instanceof Error)) return inspect(error);
  if (error.name === "UserError") return `UserError: ${error.message}`;
  if (error.message === INTERRUPTED || ("code" in error && error.code === "ERR_SCRIPT_EXECUTION_INTERRUPTED"))
    return "the cell was interrupted; what it was waiting for may still go on";
  return withoutKernelFrames(inspect(error));
}

/** A stack trace down to the last line of a cell in it. */
function withoutKernelFrames(/** @type {string} */ text) {
  const lines = text.split("\n");
  const isFrame = (/** @type {string} */ line) => /^ +at /.test(line);
  const last = lines.findLastIndex((line) => isFrame(line) && /\bcell-\d+:\d+/.test(line));
  if (last < 0) return text;
  const end = lines.findIndex((line, i) => i > last && !isFrame(line));
  return [...lines.slice(0, last + 1), ...(end < 0 ? [] : lines.slice(end))].join("\n");
}

export class CellHandler extends JupyterHandlerImpl {
  #count = 0;
  /** @type {Cell | undefined} */
  #running;
  #last;

  constructor() {
    /** What tslab would print at the end of a cell: the value of its last expression. @type {{ value?: unknown }} */
    const last = {};
    const log = (/** @type {unknown[]} */ ...values) => {
      last.value = values[0];
    };
    const error = (/** @type {unknown[]} */ ...values) => {
      if (values.length === 1) console.error(errorText(values[0]));
      else console.error(...values);
    };
    super(typescriptExecutor({ log, error }), false);
    this.#last = last;
  }

  /** How many cells have been begun. */
  get count() {
    return this.#count;
  }

  /**
   * @override
   * @param {ExecuteRequest} request
   * @param {WriteStream} write
   * @param {WriteDisplay} display
   * @returns {Promise<ExecuteReply>}
   */
  async handleExecute({ code }, write, display) {
    process.stdout.write = writeTo((text) => {
      write("stdout", text);
    });
    process.stderr.write = writeTo((text) => {
      write("stderr", text);
    });
    setDisplay(display);
    this.#count++;
    const cell = (this.#running = beginCell());
    try {
      const ended = this.executor.execute(code);
      rearmInterrupt();
      const ok = (await ended) && (await this.#showLastValue(cell));
      return { status: ok ? "ok" : "error", execution_count: this.#count };
    } finally {
      this.#running = undefined;
      endCell();
    }
  }

  /** Prints the value of a cell's last expression; of a promise, what it becomes: an `await` is forgotten easily. */
  async #showLastValue(/** @type {Cell} */ cell) {
    const { value } = this.#last;
    delete this.#last.value;
    if (!(value instanceof Promise)) {
      if (value !== undefined) console.log(value);
      return true;
    }
    try {
      /** @type {unknown} */
      const result = await Promise.race([value, cell.givenUp]);
      if (result !== undefined) console.log(result);
      return true;
    } catch (error) {
      console.error(errorText(error));
      return false;
    }
  }

  /**
   * Ends the running cell, and all training in this kernel: work that can end by itself commits its state first. A
   * second interrupt does not wait for it.
   */
  async interrupt() {
    const cell = this.#running;
    const isFirst = cell?.signal.aborted !== true;
    const atWork = cellsAtWork();
    const stopped = [...atWork, ...(cell === undefined ? [] : [cell])].map((each) => each.stop());
    if (isFirst && atWork.length > 0) {
      await Promise.all(stopped);
      await sleep(GRACE_MS);
    }
    if (cell === undefined || this.#running !== cell) return;
    cell.giveUp();
    this.executor.interrupt();
  }

  /** @override */
  close() {
    for (const stream of [process.stdout, process.stderr]) Reflect.deleteProperty(stream, "write");
    super.close();
  }
}

/** A stream's `write` that gives its text to `take`. @returns {typeof process.stdout.write} */
function writeTo(/** @type {(text: string) => void} */ take) {
  const decoder = new TextDecoder();
  return (
    /** @type {Uint8Array | string} */ chunk,
    /** @type {unknown} */ encoding,
    /** @type {unknown} */ callback = encoding,
  ) => {
    take(typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true }));
    if (typeof callback === "function") process.nextTick(callback);
    return true;
  };
}

/**
 * While a cell's first, synchronous part runs, Node itself catches the interrupt. If that part adds a listener for it
 * (the library that locks runs does), Node leaves the signal with its default afterwards: the kernel would end.
 * Taking all listeners off and on again puts that right.
 */
function rearmInterrupt() {
  const listeners = process.rawListeners("SIGINT");
  process.removeAllListeners("SIGINT");
  for (const listener of listeners) process.on("SIGINT", /** @type {NodeJS.SignalsListener} */ (listener));
}

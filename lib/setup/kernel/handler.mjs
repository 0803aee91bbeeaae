/** Executes cells: tslab's answers to a notebook, with its execution of a cell replaced. */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { beginCell, cellsAtWork, endCell } from "./cells.mjs";
import { compilerFailure, failureOf, isCaughtByNode } from "./failure.mjs";
import { caughtByNode } from "./interrupts.mjs";
import { ownColumn, writtenOut } from "./shorthand.mjs";
import { JupyterHandlerImpl, setDisplay, typescriptExecutor } from "./tslab.mjs";

/** @typedef {import("./cells.mjs").Cell} Cell */
/** @typedef {import("./tslab.mjs").ExecuteRequest} ExecuteRequest */
/** @typedef {import("./tslab.mjs").ExecuteReply} ExecuteReply */
/** @typedef {import("./failure.mjs").Failure} Failure */
/** @typedef {import("./tslab.mjs").WriteStream} WriteStream */
/** @typedef {import("./tslab.mjs").WriteDisplay} WriteDisplay */

/** What an interrupted cell's own code gets to end, once all that was waited for has. */
const GRACE_MS = 100;

/** What tslab gives its console for a fault that the compiler found: a pattern, file, line, column and what it is. */
const FAULT = "%s%d:%d - %s";

/** A name that is there from the start. */
const ANY_NAME = "parseInt";

export class CellHandler extends JupyterHandlerImpl {
  #count = 0;
  /** @type {Cell | undefined} */
  #running;
  #said;

  constructor() {
    /**
     * What tslab would print: the value of a cell's last expression, what it threw, what its compiler found.
     * @type {{ value?: unknown, thrown?: Failure, faults: string[] }}
     */
    const said = { faults: [] };
    const log = (/** @type {unknown[]} */ ...values) => {
      said.value = values[0];
    };
    const error = (/** @type {unknown[]} */ ...values) => {
      if (values[0] === FAULT) said.faults.push(this.#fault(values));
      else said.thrown = failureOf(values[0]);
      if (isCaughtByNode(values[0])) caughtByNode();
    };
    super(typescriptExecutor({ log, error }), false);
    this.#said = said;
  }

  /** A fault that the compiler found, with its place in the cell as it was given. */
  #fault(/** @type {readonly unknown[]} */ [, file, line, column, text]) {
    const own = ownColumn(this.#running?.code ?? "", Number(line), Number(column));
    return `${String(file)}line ${String(line)}, column ${String(own)}: ${String(text)}`;
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
    const cell = (this.#running = beginCell(code));
    Object.assign(this.#said, { value: undefined, thrown: undefined, faults: [] });
    try {
      const ended = this.executor.execute(writtenOut(code));
      rearmInterrupt();
      if (await ended) await this.#showLastValue(cell);
      else this.#said.thrown ??= compilerFailure(this.#said.faults);
    } catch (error) {
      this.#said.thrown = failureOf(error);
    } finally {
      this.#running = undefined;
      endCell();
    }
    const { thrown } = this.#said;
    return { status: thrown === undefined ? "ok" : "error", execution_count: this.#count, ...thrown };
  }

  /**
   * Lets the compiler take in what the last cell has declared, which the first explanation or completion after it would
   * wait for: after the import of the library for most of a second. It stands still as long itself.
   */
  readyExplanations() {
    if (this.#running === undefined) this.executor.inspect(ANY_NAME, ANY_NAME.length);
  }

  /** Shows the value of a cell's last expression; of a promise, what it becomes: an `await` is forgotten easily. */
  async #showLastValue(/** @type {Cell} */ cell) {
    try {
      const result = await Promise.race([this.#said.value, cell.givenUp]);
      if (result !== undefined) await showValue(result);
    } catch (error) {
      this.#said.thrown = failureOf(error);
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

/** Shows a value as the library does, which says so to the kernel when it is loaded (lib/notebook/show.ts). */
async function showValue(/** @type {unknown} */ value) {
  /** @type {{ [name: symbol]: ((value: unknown) => Promise<void>) | undefined }} */
  const known = globalThis;
  const show = known[Symbol.for("anytime-cascade.show")];
  if (show === undefined) console.log(value);
  else await show(value);
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

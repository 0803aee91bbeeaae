/** What is told of a cell that failed, as the protocol has it: a name, a sentence, and lines for the reader. */
import { inspect } from "node:util";
import { INTERRUPTED } from "./cells.mjs";
import { inOwnLines } from "./source-maps.mjs";

/** @typedef {{ ename: string, evalue: string, traceback: string[] }} Failure */

/** @returns {Failure} */
const sentence = (/** @type {string} */ ename, /** @type {string} */ evalue) => ({
  ename,
  evalue,
  traceback: [`${ename}: ${evalue}`],
});

/**
 * Of what a cell threw. Errors meant for the person at the keyboard have no stack; that of others ends at the last
 * line of a cell, and counts lines as the cell does.
 *
 * @returns {Failure}
 */
export function failureOf(/** @type {unknown} */ error) {
  if (!(error instanceof Error)) return sentence("Error", `the cell threw ${inspect(error)}`);
  if (error.name === "UserError") return sentence("UserError", error.message);
  if (error.message === INTERRUPTED || isCaughtByNode(error))
    return sentence("Interrupted", "the cell was interrupted; what it was waiting for may still go on");
  const text = withoutKernelFrames(inOwnLines(inspect(error)));
  return { ename: error.name, evalue: error.message, traceback: text.split("\n") };
}

/** Whether Node ended a cell's first part because it was interrupted. */
export function isCaughtByNode(/** @type {unknown} */ error) {
  return error instanceof Error && "code" in error && error.code === "ERR_SCRIPT_EXECUTION_INTERRUPTED";
}

/** Of what the compiler says of a cell, a sentence a fault. @returns {Failure} */
export function compilerFailure(/** @type {readonly string[]} */ faults) {
  return { ename: "TypeScript", evalue: faults[0] ?? "", traceback: [...faults] };
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

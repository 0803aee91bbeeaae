import { visibleLines } from "./visible-text.js";

/** Tells a person at a terminal of something that is no error. */
export function warnOnStandardError(message: string): void {
  process.stderr.write(`${visibleLines(message)}\n`);
}

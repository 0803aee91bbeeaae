import { visibleLines } from "../util/visible-text.js";

/** Writes a line, or several, of a command's result to standard output. */
export function writeOut(lines: string): void {
  process.stdout.write(`${visibleLines(lines)}\n`);
}

/** A number as a person reads it: whole, thousands set apart. */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** Writes one line of a command's result to standard output. */
export function writeOut(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** A number as a person reads it: whole, thousands set apart. */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}

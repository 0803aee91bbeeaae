/** Writes one line of a command's result to standard output. */
export function writeOut(line: string): void {
  process.stdout.write(`${line}\n`);
}

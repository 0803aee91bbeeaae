/**
 * Lets a command outlive the readers of its output: `| head -1` ends the reading, not the work, and the exit code
 * stays that of the work. Output that cannot be written for another reason (a full disk) is a failure, and is said.
 */
export function guardOutput() {
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (/** @type {NodeJS.ErrnoException} */ error) => {
      if (error.code === "EPIPE") return;
      process.exitCode = 1;
      if (stream === process.stdout)
        process.stderr.write(`standard output cannot be written: ${error.message}\n`);
    });
}

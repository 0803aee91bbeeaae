/** The exit code of a command that Ctrl-C has stopped. */
const STOPPED = 130;

/** Runs `work` with a signal that Ctrl-C sets off; a second Ctrl-C ends at once. */
export async function withStopSignal<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(STOPPED);
    process.stderr.write("\nstopping; what is committed stays\n");
    process.exitCode = STOPPED;
    controller.abort();
  };
  process.on("SIGINT", stop).on("SIGTERM", stop);
  try {
    return await work(controller.signal);
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
  }
}

import { isAlive, processIdentity } from "./process-identity.js";

/**
 * Ends this process when the process `pid` (by default its parent) is gone, so that killing a sweep leaves no
 * orphan computing: looks every `everySeconds`, and at once when a connected parent disconnects.
 * Returns a function that stops the watch. `onOrphaned` replaces ending by process.exit(1).
 */
export function exitWithParent({
  pid = process.ppid,
  everySeconds = 1,
  onOrphaned = endOrphan,
}: { pid?: number; everySeconds?: number; onOrphaned?: (pid: number) => void } = {}): () => void {
  const parent = processIdentity(pid);
  const stop = (): void => {
    clearInterval(timer);
    process.off("disconnect", orphaned);
  };
  const orphaned = (): void => {
    stop();
    onOrphaned(pid);
  };
  const timer = setInterval(() => {
    if (parent === null || isAlive(parent) === false) orphaned();
  }, everySeconds * 1000);
  timer.unref();
  if (pid === process.ppid) process.once("disconnect", orphaned);
  return stop;
}

function endOrphan(pid: number): void {
  process.stderr.write(`process ${String(pid)}, which this one works for, has ended; stopping\n`);
  process.exit(1);
}

import { readFileSync, readlinkSync } from "node:fs";

/** Which process, on which machine: enough to tell later whether it still lives, even if its pid was given away. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start in clock ticks after boot; empty where the system does not tell. */
  readonly startTime: string;
  /** Boot and process-id namespace (a container has its own pids); empty where the system does not tell. */
  readonly machine: string;
}

/** Identity of a living process, or null if there is none with this pid. */
export function processIdentity(pid: number): ProcessIdentity | null {
  const startTime = startTimeOf(pid);
  return startTime === null ? null : { pid, startTime, machine: machineIdentity() };
}

/** Whether that very process still runs; null when that cannot be told from here, such as on another machine. */
export function isAlive(process: ProcessIdentity): boolean | null {
  if (process.machine === "" || process.machine !== machineIdentity()) return null;
  const startTime = startTimeOf(process.pid);
  return startTime !== null && (startTime === "" || startTime === process.startTime);
}

function machineIdentity(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return "";
  }
}

/** Start time of a living process; empty if it lives but hides it; null if it is gone or only awaits its parent. */
function startTimeOf(pid: number): string | null {
  try {
    // The second field, the command in parentheses, may itself hold spaces and parentheses.
    const fields = readFileSync(`/proc/${String(pid)}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    const [state = "", startTime = ""] = [fields[0], fields[19]];
    return state === "Z" || state === "X" ? null : startTime;
  } catch {
    return answersSignals(pid) ? "" : null;
  }
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

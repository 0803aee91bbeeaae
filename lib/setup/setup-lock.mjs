import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf, SetupError } from "./errors.mjs";
import { LOCK } from "./project.mjs";

/**
 * A process as it can be told from another one that later got the same id.
 * @typedef {{ pid: number, start: string }} Process
 * @typedef {{ host: string, owner: Process, children?: readonly Process[] }} LockContent
 */

/** When a process began (clock ticks since boot), or "" where the system does not tell; undefined if it is gone. */
function startOf(/** @type {number} */ pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EPERM")) return undefined;
  }
  try {
    const fields = readFileSync(`/proc/${String(pid)}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return fields[0] === "Z" ? undefined : (fields[19] ?? "");
  } catch {
    return "";
  }
}

const isAlive = (/** @type {Process} */ { pid, start }) => startOf(pid) === start;
const identify = (/** @type {number} */ pid) => ({ pid, start: startOf(pid) ?? "" });

/** @type {LockContent | undefined} */
let held;

/** @returns {LockContent | undefined} */
function readLock() {
  try {
    /** @type {unknown} */
    const lock = JSON.parse(readFileSync(LOCK, "utf8"));
    return /** @type {LockContent} */ (lock);
  } catch {
    return undefined;
  }
}

/** Writes the lock whole under a name of its own, for a rename or a link to put it in place at once. */
function writeTemporary(/** @type {LockContent} */ content) {
  const temporary = `${LOCK}.${String(process.pid)}`;
  try {
    mkdirSync(dirname(LOCK), { recursive: true });
    writeFileSync(temporary, JSON.stringify(content));
  } catch (error) {
    throw new SetupError(`nothing is set up: the project's folder cannot be written (${messageOf(error)})`);
  }
  return temporary;
}

/** Puts the lock in place unless there is one; true if it is ours now. */
function tryLock(/** @type {LockContent} */ content) {
  const temporary = writeTemporary(content);
  try {
    linkSync(temporary, LOCK);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Removes the lock of a set-up that was killed, and ends the commands that it left running. */
function breakLock(/** @type {LockContent} */ stale) {
  const aside = `${LOCK}.stale-${String(process.pid)}`;
  try {
    renameSync(LOCK, aside);
  } catch {
    return; // another set-up was faster
  }
  try {
    const moved = readFileSync(aside, "utf8");
    if (moved !== JSON.stringify(stale))
      linkSync(aside, LOCK); // it was replaced since it was read: put it back
    else for (const child of stale.children ?? []) if (isAlive(child)) endGroup(child.pid);
  } finally {
    rmSync(aside, { force: true });
  }
}

function endGroup(/** @type {number} */ pid) {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // it has ended by itself
  }
}

/** Lets only one set-up of this checkout work at a time; waits for another one. */
export async function lockSetup(/** @type {(message: string) => void} */ say) {
  const content = { host: hostname(), owner: identify(process.pid) };
  for (let waited = 0; !tryLock(content); waited++) {
    const other = readLock();
    if (other === undefined) {
      // Released just now; or, if it stays so, emptied by a power cut.
      if (waited > 20) rmSync(LOCK, { force: true });
      await sleep(50);
    } else if (other.host === content.host && !isAlive(other.owner)) breakLock(other);
    else {
      if (waited === 0)
        say(
          `another set-up is at work (process ${String(other.owner.pid)} on ${other.host}); waiting for it`,
        );
      await sleep(300);
    }
  }
  held = content;
  clearLeftovers(LOCK);
  process.once("exit", unlockSetup);
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
    process.once(signal, () => {
      endChildren();
      process.exit(130);
    });
  }
}

/** Ends the commands that run now. */
export function endChildren() {
  for (const child of held?.children ?? []) endGroup(child.pid);
}

/** Removes what set-ups that were killed left of their own beside `file`: its name, more, and their id. */
export function clearLeftovers(/** @type {string} */ file) {
  if (!existsSync(dirname(file))) return;
  for (const name of readdirSync(dirname(file))) {
    const rest = name.startsWith(`${basename(file)}.`) ? name.slice(basename(file).length) : "";
    const pid = /^\.(?:stale-)?(\d+)(?:\.tmp)?$/.exec(rest)?.[1];
    if (pid !== undefined && startOf(Number(pid)) === undefined)
      rmSync(join(dirname(file), name), { force: true });
  }
}

export function unlockSetup() {
  if (held !== undefined) rmSync(LOCK, { force: true });
  held = undefined;
}

/** Writes in the lock that a command runs now. */
export function noteChild(/** @type {number | undefined} */ pid) {
  if (pid !== undefined) noteChildren((children) => [...children, identify(pid)]);
}

/** Writes in the lock that a command has ended. */
export function forgetChild(/** @type {number | undefined} */ pid) {
  noteChildren((children) => children.filter((child) => child.pid !== pid));
}

function noteChildren(/** @type {(children: readonly Process[]) => readonly Process[]} */ change) {
  if (held === undefined) return;
  held = { host: held.host, owner: held.owner, children: change(held.children ?? []) };
  renameSync(writeTemporary(held), LOCK);
}

import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isAlive, processIdentity } from "./process-identity.js";
import { temporaryFolder } from "./temporary-folder.js";

/** What nobody has touched for so long is of a machine, or of a start of this one, that is gone. */
const SILENCE_MS = 86_400_000;
const MARK = /^(\d+)-(\d*)-([0-9a-f]{8})(?:-\w{6,})?$/;

/** Part of the name of whatever this process makes for a while: it tells others whose it is. */
export function ownMark(): string {
  const { pid, startTime, machine } = ownIdentity();
  return `${pid}-${startTime}-${shortened(machine)}`;
}

let names = 0;

/** The same, and another one at each call. */
export function newMark(): string {
  return `${ownMark()}-${String(names++).padStart(6, "0")}`;
}

/** Removes from `folder` what processes that were killed left there under names of `prefix`, their mark and `suffix`. */
export async function clearLeftovers(folder: string, prefix: string, suffix = ""): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith(prefix) || !name.endsWith(suffix)) continue;
    const path = join(folder, name);
    // What cannot be removed is in nobody's way.
    if (await isLeft(path, name.slice(prefix.length, name.length - suffix.length)))
      await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

/**
 * A folder for a while, and how to remove it; what a killed process leaves of it, or one that cannot remove it, is removed by
 * the next one that makes one.
 */
export interface OwnFolder {
  readonly path: string;
  readonly remove: () => void;
}

/** Makes a temporary folder of this process for `purpose`, a word. */
export async function ownFolder(purpose: string): Promise<OwnFolder> {
  const parent = temporaryFolder();
  await clearLeftovers(parent, `cascade-${purpose}-`);
  const path = mkdtempSync(join(parent, `cascade-${purpose}-${ownMark()}-`));
  const remove = (): void => {
    process.off("exit", remove);
    try {
      rmSync(path, { recursive: true, force: true, maxRetries: 3 });
    } catch {
      // It is in nobody's way, and goes with the next one that is made once this process has ended.
    }
  };
  process.once("exit", remove);
  return { path, remove };
}

async function isLeft(path: string, mark: string): Promise<boolean> {
  const [, pid, startTime = "", machine] = MARK.exec(mark) ?? [];
  if (pid === undefined) return false;
  const own = ownIdentity();
  const owner = { pid: Number(pid), startTime, machine: own.machine };
  const alive = machine === shortened(own.machine) ? isAlive(owner) : null;
  if (alive !== null) return !alive;
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > SILENCE_MS;
}

function ownIdentity() {
  return processIdentity(process.pid) ?? { pid: process.pid, startTime: "", machine: "" };
}

function shortened(machine: string): string {
  return createHash("sha256").update(machine).digest("hex").slice(0, 8);
}

import { existsSync, readFileSync, rmSync, utimesSync } from "node:fs";
import { mkdir, rm, rmdir, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { UserError } from "./errors.js";
import { fileError, writeFileAtomic } from "./files.js";
import { parseJson } from "./json-text.js";
import { isAlive, processIdentity, type ProcessIdentity } from "./process-identity.js";

/** The folder is a living process's. */
export class FolderInUse extends UserError {}

/** The exclusive right to write into a folder. */
export interface FolderLock {
  /** Throws a UserError if the lock was lost, because the folder was deleted or another machine took it over. */
  assertHeld(): void;
  release(): Promise<void>;
}

const LOCK = ".lock";
const GUARD = ".lock-guard";
const OWNER = ".lock-owner.json";
/** An owner on another machine counts as dead when it gave no sign of life for so long. */
const SILENCE_MS = 30_000;
/** How often an owner gives one: it sets the time of the lock to now. */
const SIGN_MS = SILENCE_MS / 6;
/** A guard is held for moments; one that nobody touches for so long is a killed process's. */
const GUARD_SILENCE_MS = 5_000;
const GUARD_SIGN_MS = 1_000;
/** How long to wait for others that hold the guard one after the other. */
const PATIENCE_MS = 20_000;
/** How often who waits for an owner to end looks. */
const LOOK_MS = 100;
/** The same of one who waits for minutes. */
const LONG_LOOK_MS = 300;

const ownerSchema = z.object({ pid: z.number(), startTime: z.string(), machine: z.string() });

/**
 * Takes the exclusive lock of an existing folder, or throws a UserError (`FolderInUse`) that names the living owner, after
 * `patienceMs` in which it may end. The lock of an owner that died on this machine is taken over at once; elsewhere,
 * silence decides.
 */
export async function lockFolder(
  folder: string,
  { patienceMs = 0 }: { readonly patienceMs?: number } = {},
): Promise<FolderLock> {
  const begun = performance.now();
  for (;;) {
    try {
      return await takeLock(folder);
    } catch (error) {
      if (!(error instanceof FolderInUse) || performance.now() - begun >= patienceMs) throw error;
      await sleep(LOOK_MS);
    }
  }
}

/**
 * Takes the lock of a folder, which is made where it is missing, however long another process has it; `onWait` is told once
 * before that. Throws as `lockFolder` where it cannot be taken at all.
 */
export async function lockOnceFree(folder: string, onWait: () => void): Promise<FolderLock> {
  for (let hasWaited = false; ; hasWaited = true) {
    try {
      await mkdir(folder, { recursive: true });
      return await lockFolder(folder);
    } catch (error) {
      if (!(error instanceof FolderInUse || isGone(error))) throw error;
      if (!hasWaited) onWait();
      await sleep(LONG_LOOK_MS);
    }
  }
}

/** Whether the folder was taken away by the process that had its lock, before this one could take it. */
function isGone(error: unknown): boolean {
  const cause = error instanceof UserError ? error.cause : undefined;
  return cause instanceof Error && "code" in cause && cause.code === "ENOENT";
}

/** Removes what a killed process left of its lock in a folder that is read without one; a living process's stays. */
export async function clearLeftLock(folder: string): Promise<void> {
  if (![LOCK, OWNER, GUARD].some((name) => existsSync(join(folder, name)))) return;
  // Where it cannot be removed it does no harm.
  await lockFolder(folder).then(
    (lock) => lock.release().catch(() => undefined),
    () => undefined,
  );
}

interface HeldLock {
  readonly path: string;
  readonly isHeld: () => boolean;
  /** When `signHeldLocks` last gave its sign of life, by `performance.now()`. */
  signed: number;
}

/** The locks that this process holds. */
const heldLocks = new Set<HeldLock>();

/**
 * Gives a sign of life of all locks that this process holds. For whoever computes long without giving way to the event loop,
 * where the signs that are due stand still: silence would be taken for death on another machine.
 */
export function signHeldLocks(): void {
  const now = performance.now();
  for (const lock of heldLocks) {
    if (now - lock.signed < SIGN_MS || !lock.isHeld()) continue;
    lock.signed = now;
    try {
      utimesSync(lock.path, new Date(), new Date());
    } catch {
      // A lock that was lost is noticed by who asks whether it is held.
    }
  }
}

async function takeLock(folder: string): Promise<FolderLock> {
  const path = join(folder, LOCK);
  const owner = processIdentity(process.pid);
  await guarded(folder, async () => {
    await clearDeadLock(folder);
    // Before the lock itself, so that a lock never stands without the name of its owner.
    await writeFileAtomic(join(folder, OWNER), JSON.stringify(owner));
    await mkdir(path);
  });
  const isHeld = (): boolean => existsSync(path) && isSameProcess(readOwner(folder), owner);
  const removeFiles = (): void => {
    if (!isHeld()) return;
    try {
      rmSync(join(folder, OWNER), { force: true });
      rmSync(path, { recursive: true, force: true });
    } catch (error) {
      throw fileError(error, "remove", path);
    }
  };
  const removeAtExit = (): void => {
    try {
      removeFiles();
    } catch {
      // Nobody is left to be told; whoever is next takes over the lock of a dead process.
    }
  };
  const signs = signsOfLife(path, SIGN_MS, isHeld);
  const held = { path, isHeld, signed: performance.now() };
  heldLocks.add(held);
  process.once("exit", removeAtExit);
  return {
    assertHeld() {
      if (isHeld()) return;
      throw new UserError(
        `the lock of ${folder} was lost (folder deleted, or taken over by another process); what was committed stays`,
      );
    },
    async release() {
      clearInterval(signs);
      heldLocks.delete(held);
      process.off("exit", removeAtExit);
      if (!isHeld()) return;
      await guarded(folder, () => {
        removeFiles();
        return Promise.resolve();
      });
    },
  };
}

function isSameProcess(one: ProcessIdentity | null, other: ProcessIdentity | null): boolean {
  return (
    one !== null &&
    one.pid === other?.pid &&
    one.startTime === other.startTime &&
    one.machine === other.machine
  );
}

/** Sets the time of `path` to now, again and again, as long as it is ours. */
function signsOfLife(path: string, everyMs: number, isHeld: () => boolean): NodeJS.Timeout {
  return setInterval(() => {
    const now = new Date();
    if (isHeld()) utimes(path, now, now).catch(() => undefined);
  }, everyMs).unref();
}

/** Runs `action` while no other process looks at or changes the lock. */
async function guarded(folder: string, action: () => Promise<void>): Promise<void> {
  const path = join(folder, GUARD);
  try {
    await takeGuard(folder, path);
    const signs = signsOfLife(path, GUARD_SIGN_MS, () => true);
    try {
      await action();
    } finally {
      clearInterval(signs);
      await rm(path, { recursive: true, force: true });
    }
  } catch (error) {
    throw fileError(error, "write", folder);
  }
}

/**
 * Makes the folder that is the guard. One that is there is watched by this process's own clock: its date says nothing,
 * for it may be from before the clock was set back, or from another machine.
 */
async function takeGuard(folder: string, path: string): Promise<void> {
  const begun = performance.now();
  const watch = new Watch(path);
  while (!(await isMade(path))) {
    if ((await watch.silenceMs()) > GUARD_SILENCE_MS) await rmdir(path).catch(() => undefined);
    else if (performance.now() - begun > PATIENCE_MS)
      throw new UserError(`${folder} is being opened by other processes; try again`);
    await sleep(30 + 60 * (watch.looks % 2));
  }
}

async function isMade(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

/** Tells for how long a file has not been touched, by looking at it again and again. */
class Watch {
  looks = 0;
  readonly #path: string;
  #seen = "";
  #since = performance.now();

  constructor(path: string) {
    this.#path = path;
  }

  async silenceMs(): Promise<number> {
    this.looks++;
    const found = await stat(this.#path).catch(() => undefined);
    const seen = `${found?.ino ?? ""} ${found?.mtimeMs ?? ""}`;
    if (seen !== this.#seen || found === undefined) {
      this.#seen = seen;
      this.#since = performance.now();
    }
    return performance.now() - this.#since;
  }
}

/** Removes a lock whose owner is dead; throws a UserError if the owner lives. */
async function clearDeadLock(folder: string): Promise<void> {
  const path = join(folder, LOCK);
  if (!existsSync(path)) return;
  const owner = readOwner(folder);
  const alive = owner === null ? false : isAlive(owner);
  if (owner !== null && (alive ?? (await givesSigns(path)))) {
    const place = alive === null ? " on another machine or in another container" : "";
    throw new FolderInUse(
      `${folder} is in use by process ${owner.pid}${place}; wait until it ends, or stop it, and try again`,
    );
  }
  await rm(path, { recursive: true, force: true });
}

/** Whether the owner of a lock, who is out of sight, lives: a lock dated in the future is watched for two signs. */
async function givesSigns(path: string): Promise<boolean> {
  const age = Date.now() - (await stat(path)).mtimeMs;
  if (age > SILENCE_MS) return false;
  if (age > -SILENCE_MS) return true;
  const watch = new Watch(path);
  await watch.silenceMs();
  await sleep(2 * SIGN_MS + 1_000);
  return (await watch.silenceMs()) < SIGN_MS * 2;
}

function readOwner(folder: string): ProcessIdentity | null {
  try {
    return ownerSchema.parse(parseJson(readFileSync(join(folder, OWNER), "utf8")));
  } catch {
    return null;
  }
}

import { existsSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { check, lock } from "proper-lockfile";
import { z } from "zod";
import { UserError } from "./errors.js";
import { fileError, writeFileAtomic } from "./files.js";
import { isAlive, processIdentity, type ProcessIdentity } from "./process-identity.js";

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

const ownerSchema = z.object({ pid: z.number(), startTime: z.string(), machine: z.string() });

/**
 * Takes the exclusive lock of an existing folder, or throws a UserError that names the living owner.
 * The lock of an owner that died on this machine is taken over at once; elsewhere, silence decides.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const path = join(folder, LOCK);
  let lost: Error | null = null;
  const unlock = await guarded(folder, async () => {
    await clearDeadLock(folder);
    // Before the lock itself, so that a lock never stands without the name of its owner.
    await writeFileAtomic(join(folder, OWNER), JSON.stringify(processIdentity(process.pid)));
    return lock(path, {
      realpath: false,
      lockfilePath: path,
      stale: SILENCE_MS,
      update: SILENCE_MS / 6,
      onCompromised: (error) => {
        lost = error;
      },
    });
  });
  return {
    assertHeld() {
      if (lost !== null) {
        throw new UserError(
          `the lock of ${folder} was lost (folder deleted, or taken over by another process)`,
          {
            cause: lost,
          },
        );
      }
    },
    async release() {
      if (lost !== null) return;
      await guarded(folder, async () => {
        await rm(join(folder, OWNER), { force: true });
        await unlock();
      });
    },
  };
}

/** Runs `action` while no other process looks at or changes the lock. */
async function guarded<Result>(folder: string, action: () => Promise<Result>): Promise<Result> {
  const path = join(folder, GUARD);
  try {
    const unguard = await lock(path, {
      realpath: false,
      lockfilePath: path,
      stale: 5_000,
      onCompromised: () => undefined,
      retries: { retries: 100, factor: 1, minTimeout: 50, maxTimeout: 100, randomize: true },
    });
    try {
      return await action();
    } finally {
      await unguard();
    }
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ELOCKED") {
      throw new UserError(`${folder} is being opened by another process; try again`, { cause: error });
    }
    throw fileError(error, "write", folder);
  }
}

/** Removes a lock whose owner is dead; throws a UserError if the owner lives. */
async function clearDeadLock(folder: string): Promise<void> {
  const path = join(folder, LOCK);
  if (!existsSync(path)) return;
  const owner = readOwner(folder);
  const alive = owner === null ? false : isAlive(owner);
  if (
    owner !== null &&
    (alive ?? (await check(path, { realpath: false, lockfilePath: path, stale: SILENCE_MS })))
  ) {
    const place = alive === null ? " on another machine or in another container" : "";
    throw new UserError(
      `${folder} is in use by process ${owner.pid}${place}; wait until it ends, or stop it, and try again`,
    );
  }
  await rm(path, { recursive: true, force: true });
}

function readOwner(folder: string): ProcessIdentity | null {
  try {
    return ownerSchema.parse(JSON.parse(readFileSync(join(folder, OWNER), "utf8")));
  } catch {
    return null;
  }
}

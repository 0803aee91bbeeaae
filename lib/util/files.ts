import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { UserError } from "./errors.js";

/** What the system's error codes mean to the person who asked for a file to be written or read. */
const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full; free some space and try again",
  EDQUOT: "the disk quota is used up; free some space and try again",
  EACCES: "permission is denied",
  EROFS: "the file system is read-only",
  ENOENT: "there is no such file or folder",
  ENOTDIR: "a part of the path is a file, not a folder",
  EISDIR: "it is a folder, not a file",
};

/** Turns a system error about `path` into one clear sentence; other errors pass through unchanged. */
export function fileError(error: unknown, verb: "read" | "write", path: string): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const meaning = SYSTEM_ERRORS[code];
  return meaning === undefined
    ? error
    : new UserError(`cannot ${verb} ${path}: ${meaning}`, { cause: error });
}

/**
 * Replaces `path` by `data` so that after a kill or a crash at any instant either the old or the new content
 * is there, whole: temporary file beside it, fsync, rename, fsync of the folder.
 */
export async function writeFileAtomic(
  path: string,
  data: Uint8Array | string | readonly Uint8Array[],
): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${String(process.pid)}.tmp`);
  try {
    await mkdir(folder, { recursive: true });
    const file = await open(temporary, "w");
    try {
      for (const part of typeof data === "string" || data instanceof Uint8Array ? [data] : data)
        await file.writeFile(part);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(folder);
  } catch (error) {
    await rm(temporary, { force: true });
    throw fileError(error, "write", path);
  }
}

/** Makes renames and creations in `folder` survive a power cut. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** SHA-256 of a file's content, in lower-case hexadecimal. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  } catch (error) {
    throw fileError(error, "read", path);
  }
  return hash.digest("hex");
}

/** SHA-256 of bytes or text, in lower-case hexadecimal. */
export function sha256(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}

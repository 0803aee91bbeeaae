import { createHash } from "node:crypto";
import { constants as fileConstants, createReadStream, writeFile, type Stats } from "node:fs";
import { mkdir, open, rename, rm, type FileHandle } from "node:fs/promises";
import { constants } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { UserError } from "./errors.js";
import { clearLeftovers, newMark } from "./own-temporary.js";
import { writeTarget } from "./write-target.js";

/** What the system's error codes mean to the person who asked for a file to be written or read. */
const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full; free some space and try again",
  EDQUOT: "the disk quota is used up; free some space and try again",
  EACCES: "permission is denied",
  EROFS: "the file system is read-only",
  ENOENT: "there is no such file or folder",
  ENOTDIR: "a part of the path is a file, not a folder",
  EEXIST: "a file is in the place of its folder",
  EISDIR: "it is a folder, not a file",
  ERR_FS_EISDIR: "it is a folder, not a file",
  ELOOP: "its links lead in a circle",
  ENXIO: "nothing is there to take it (a device without a driver, or a socket)",
  EPIPE: "its reader has gone",
  EIO: "the device reports an error; check the disk, then try again",
  EPERM: "the system does not permit it",
  EMFILE: "too many files are open; close some, or raise the limit (ulimit -n)",
  ENFILE: "too many files are open on this machine; close some and try again",
};

/** Turns a system error about `path` into one clear sentence; other errors pass through unchanged. */
export function fileError(error: unknown, verb: "read" | "write" | "remove", path: string): unknown {
  const meaning = meaningOf(error) ?? strangeRefusal(error);
  return meaning === undefined
    ? error
    : new UserError(`cannot ${verb} ${path}: ${meaning}`, { cause: error });
}

/** Whether this is an error that files have, and connections do not. */
export const isOfFiles = (error: unknown): boolean => meaningOf(error) !== undefined;

function meaningOf(error: unknown): string | undefined {
  const code = systemCode(error);
  return Object.hasOwn(SYSTEM_ERRORS, code) ? SYSTEM_ERRORS[code] : undefined;
}

/** What the system may say besides, such as ESTALE of a server whose folder is another one by now. */
function strangeRefusal(error: unknown): string | undefined {
  if (!(error instanceof Error && "errno" in error && "syscall" in error)) return undefined;
  return `the system refuses it (${systemCode(error)}, ${String(error.syscall)})`;
}

/**
 * Node names the errors that all systems have; others, such as that of a quota, are "UNKNOWN" or a text to it, and have a
 * number all the same. Numbers of other kinds, such as zlib's, come with codes of their own.
 */
function systemCode(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (!/^UNKNOWN$|^Unknown system error/.test(code)) return code;
  const number = error instanceof Error && "errno" in error ? Math.abs(Number(error.errno)) : NaN;
  return Object.entries(constants.errno).find(([, one]) => one === number)?.[0] ?? "";
}

/** Removes a file, or a link, where there is one; a UserError where the system does not let it. */
export async function removeFile(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (error) {
    throw fileError(error, "remove", path);
  }
}

/** The bytes of a file: whole, or in parts. */
export type FileContent = Uint8Array | string | readonly Uint8Array[];

/**
 * Replaces the file `path` by `data` so that after a kill or a crash at any instant either the old or the new content
 * is there, whole: temporary file beside it, fsync, rename, fsync of the folder. The temporary file of a process that was
 * killed goes when its path is written again. A link stays and the file that it
 * leads to is replaced; mode and owner stay. What is no file (a device, a pipe) is written to, as it is.
 */
export async function writeFileAtomic(path: string, data: FileContent): Promise<void> {
  try {
    const target = await writeTarget(path);
    if (target.kind === "file") await replaceFile(target.path, data, target.replaced);
    else if (target.kind === "open") await writeToDescriptor(target.descriptor, data);
    else await writeThrough(path, data);
  } catch (error) {
    throw fileError(error, "write", path);
  }
}

async function replaceFile(path: string, data: FileContent, replaced: Stats | undefined): Promise<void> {
  const folder = dirname(path);
  const prefix = `.${basename(path)}.`;
  const temporary = join(folder, `${prefix}${newMark()}.tmp`);
  try {
    await mkdir(folder, { recursive: true });
    await clearLeftovers(folder, prefix, ".tmp");
    const file = await open(temporary, "w");
    try {
      await writeParts(file, data);
      if (replaced !== undefined) await takeOver(file, replaced);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(folder);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Gives a file the mode and, where that is allowed, the owner of the one that it takes the place of. */
async function takeOver(file: FileHandle, { mode, uid, gid }: Stats): Promise<void> {
  const made = await file.stat();
  if (made.uid !== uid || made.gid !== gid) await file.chown(uid, gid).catch(() => undefined);
  if (made.mode !== mode) await file.chmod(mode & 0o7777);
}

/** Through this process's own stream where there is one: it knows how to wait for a slow reader. */
async function writeToDescriptor(descriptor: number, data: FileContent): Promise<void> {
  const stream = { 1: process.stdout, 2: process.stderr }[descriptor];
  for (const part of partsOf(data)) {
    if (stream === undefined) await promisify(writeFile)(descriptor, part);
    else
      await new Promise<void>((resolve, reject) =>
        stream.write(part, (error) => {
          if (error) reject(error);
          else resolve();
        }),
      );
  }
}

async function writeThrough(path: string, data: FileContent): Promise<void> {
  const file = await open(path, fileConstants.O_WRONLY);
  try {
    await writeParts(file, data);
  } finally {
    await file.close();
  }
}

async function writeParts(file: FileHandle, data: FileContent): Promise<void> {
  for (const part of partsOf(data)) await file.writeFile(part);
}

const partsOf = (data: FileContent): readonly (Uint8Array | string)[] =>
  typeof data === "string" || data instanceof Uint8Array ? [data] : data;

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

/** The first bytes of a file, or all of it: how many, and their SHA-256. */
export interface Extent {
  readonly bytes: number;
  readonly sha256: string;
}

/** The first `bytes` bytes of a file, all where there are fewer; undefined where there is no such file. */
export async function extentOf(path: string, bytes = Infinity): Promise<Extent | undefined> {
  if (bytes <= 0) return { bytes: 0, sha256: sha256("") };
  const hash = createHash("sha256");
  let length = 0;
  try {
    for await (const chunk of createReadStream(path, { end: bytes - 1 })) {
      hash.update(chunk as Uint8Array);
      length += (chunk as Uint8Array).length;
    }
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw fileError(error, "read", path);
  }
  return { bytes: length, sha256: hash.digest("hex") };
}

/** What a file with this content is, from its first byte to its last. */
export function extentOfData(data: FileContent): Extent {
  const bytes = partsOf(data).reduce((sum, part) => sum + Buffer.byteLength(part), 0);
  return { bytes, sha256: sha256(data) };
}

/** The hash takes less than 2 GiB at a time. */
const HASHED_BYTES = 2 ** 30;

/** SHA-256 of bytes, in any number of parts, or of text, in lower-case hexadecimal. */
export function sha256(data: Uint8Array | string | readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  if (typeof data === "string") return hash.update(data).digest("hex");
  for (const part of data instanceof Uint8Array ? [data] : data)
    for (let at = 0; at < part.length; at += HASHED_BYTES) hash.update(part.subarray(at, at + HASHED_BYTES));
  return hash.digest("hex");
}

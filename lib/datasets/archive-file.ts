import { UserError } from "../util/errors.js";

/** A regular file or a folder inside an archive. */
export interface ArchiveFile {
  /** Path inside the archive, with `/`, without `./` in front. */
  readonly path: string;
  readonly kind: "file" | "folder";
  readonly bytes: number;
  /** The content, where it was asked for. */
  readonly content?: Buffer;
}

/** No file of a data set is larger: CIFAR-100's training file has 153.7 MB. */
const MAX_FILE_BYTES = 256 * 2 ** 20;
/** Images hardly shrink; even tar's padding of tiny files stays far below this. */
const MAX_EXPANSION = 100;
const EXPANSION_FREE_BYTES = 64 * 2 ** 20;

/** No data set lies deeper, nor has longer names. */
const MAX_DEPTH = 32;
const MAX_PATH = 4096;

/** The path of an entry, without `.` and empty parts, once it is known to stay inside the archive. */
export function checkedPath(archive: string, path: string): string {
  const refuse = (reason: string) =>
    new UserError(
      `${archive}: entry ${JSON.stringify(path.slice(0, 200))} ${reason}; the archive is refused`,
    );
  if (path.length > MAX_PATH) throw refuse(`has a name of ${path.length} characters`);
  const parts = path.split("/");
  if (path.startsWith("/") || /^[a-z]:/i.test(path)) throw refuse("has an absolute path");
  if (parts.includes("..") || /[\\\0]/.test(path)) throw refuse("leads out of the archive");
  if (parts.length > MAX_DEPTH) throw refuse(`lies ${parts.length} folders deep`);
  return parts.filter((part) => part !== "" && part !== ".").join("/");
}

/** Throws for a file that no data set has. */
export function checkFileSize(archive: string, path: string, bytes: number): void {
  if (bytes > MAX_FILE_BYTES)
    throw new UserError(
      `${archive}: entry ${JSON.stringify(path)} is larger than ${MAX_FILE_BYTES / 2 ** 20} MiB; it is refused`,
    );
}

/** Throws where `bytes` have come out of `stored` ones as only out of a bomb. */
export function checkExpansion(archive: string, bytes: number, stored: number): void {
  if (bytes > EXPANSION_FREE_BYTES + MAX_EXPANSION * stored)
    throw new UserError(`${archive} expands to more than ${MAX_EXPANSION} times its size; it is refused`);
}

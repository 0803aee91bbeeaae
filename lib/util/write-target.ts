import type { Stats } from "node:fs";
import { lstat, readlink, stat } from "node:fs/promises";
import { dirname, isAbsolute } from "node:path";

/** What a write to a path reaches. */
export type WriteTarget =
  /** A file, there (with what is known of it) or not yet. */
  | { readonly kind: "file"; readonly path: string; readonly replaced: Stats | undefined }
  /** A file that this process has open: /dev/stdout, /dev/fd/3. */
  | { readonly kind: "open"; readonly descriptor: number }
  /** A device, a pipe: it takes bytes and keeps none. */
  | { readonly kind: "stream" };

/** As many links as Linux follows. */
const MOST_LINKS = 40;

const STANDARD = ["stdin", "stdout", "stderr"];

function openDescriptor(path: string): number | undefined {
  const [, name = ""] = /^\/dev\/(std(?:in|out|err))$/.exec(path) ?? [];
  const [, digits] = /^\/(?:dev|proc\/self)\/fd\/(\d+)$/.exec(path) ?? [];
  if (digits !== undefined) return Number(digits);
  return STANDARD.includes(name) ? STANDARD.indexOf(name) : undefined;
}

/** Follows the links of `path` to their end, which need not be there. */
export async function writeTarget(path: string): Promise<WriteTarget> {
  let end = path;
  for (let links = 0; links <= MOST_LINKS; links++) {
    const descriptor = openDescriptor(end);
    if (descriptor !== undefined) return { kind: "open", descriptor };
    const found = await lstat(end).catch(ifMissing);
    if (found?.isSymbolicLink() !== true) {
      const isFile = found === undefined || found.isFile() || found.isDirectory();
      return isFile ? { kind: "file", path: end, replaced: found } : { kind: "stream" };
    }
    const next = await readlink(end);
    // Not normalized: ".." after a link to a folder leads out of that folder, not of the one with the link.
    end = isAbsolute(next) ? next : `${dirname(end)}/${next}`;
  }
  await stat(path); // gives the system's own error for a circle of links
  return { kind: "stream" };
}

function ifMissing(error: unknown): undefined {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
  throw error;
}

import { open } from "node:fs/promises";
import { UserError } from "../util/errors.js";
import { fileError } from "../util/files.js";

/** The archives that can be read, by their usual endings. */
const KINDS = ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz", "tar.zst"] as const;
export type ArchiveKind = (typeof KINDS)[number];
export type TarKind = Exclude<ArchiveKind, "zip">;

/** First bytes, in hexadecimal; an empty zip archive begins with its end. */
const BEGINNINGS: readonly (readonly [string, ArchiveKind])[] = [
  ["504b0304", "zip"],
  ["504b0506", "zip"],
  ["1f8b", "tar.gz"],
  ["425a68", "tar.bz2"],
  ["fd377a585a00", "tar.xz"],
  ["28b52ffd", "tar.zst"],
];
const TAR_MARK = "ustar";
const TAR_MARK_AT = 257;

/** What the file at `path` begins as; a UserError where that is no archive. */
export async function archiveKind(path: string): Promise<ArchiveKind> {
  const beginning = await firstBytes(path, TAR_MARK_AT + TAR_MARK.length).catch((error: unknown) => {
    throw fileError(error, "read", path);
  });
  const found = BEGINNINGS.find(([bytes]) => beginning.toString("hex").startsWith(bytes));
  if (found !== undefined) return found[1];
  // The oldest tar archives have no mark.
  if (beginning.subarray(TAR_MARK_AT).toString("latin1") === TAR_MARK || /\.tar$/i.test(path)) return "tar";
  const named = KINDS.find((kind) => path.toLowerCase().endsWith(`.${kind}`));
  throw new UserError(
    named === undefined
      ? `${path} is no archive that can be read; known are ${KINDS.map((kind) => `.${kind}`).join(", ")}`
      : `${path} is not a whole .${named} archive (it does not begin as one); get it again`,
  );
}

/** The name of an archive without its ending, such as "tiny-imagenet-200"; other names as they are. */
export function withoutArchiveEnding(name: string): string {
  return name.replace(/\.(zip|tar|tar\.(gz|bz2|xz|zst)|tgz|tbz2?|txz|tzst)$/i, "");
}

async function firstBytes(path: string, count: number): Promise<Buffer> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(count), 0, count, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

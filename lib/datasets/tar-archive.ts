import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { Parser, type ReadEntry } from "tar";
import { UserError } from "../util/errors.js";
import { fileError } from "../util/files.js";

/** A regular file or a folder inside an archive. */
export interface TarFile {
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

/**
 * Reads a `.tar.gz` archive as a stream, in its own order, without writing anything to disk.
 *
 * Throws a UserError for a file that is no such archive, is truncated or damaged, expands as only a bomb
 * does, or holds an absolute path, a `..`, a link, a device, or a file too large.
 */
export async function* tarFiles(
  path: string,
  wanted: (file: string) => boolean,
): AsyncGenerator<TarFile, void, undefined> {
  const finished: TarFile[] = [];
  const failures: Error[] = [];
  const parser = new Parser({ strict: true });
  parser.on("error", (error: Error) => failures.push(error));
  parser.on("entry", (entry: ReadEntry) => {
    try {
      collect(entry, checkedEntry(path, entry), wanted, finished);
    } catch (error) {
      failures.push(error as Error);
      entry.resume();
    }
  });

  const compressed = createReadStream(path);
  const unpacked = pipeline(compressed, createGunzip(), () => undefined);
  let bytes = 0;
  try {
    for await (const chunk of unpacked as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > EXPANSION_FREE_BYTES + MAX_EXPANSION * compressed.bytesRead)
        throw new UserError(`${path} expands to more than ${MAX_EXPANSION} times its size; it is refused`);
      parser.write(chunk);
      if (failures[0] !== undefined) throw failures[0];
      yield* finished.splice(0);
    }
    parser.end();
    if (failures[0] !== undefined) throw failures[0];
    yield* finished.splice(0);
  } catch (error) {
    throw archiveError(error, path);
  } finally {
    compressed.destroy();
  }
}

/** Name, kind and size of an entry, once they are known to be harmless. */
function checkedEntry(archive: string, entry: ReadEntry): TarFile {
  const refuse = (reason: string) =>
    new UserError(`${archive}: entry ${JSON.stringify(entry.path)} ${reason}; the archive is refused`);
  const parts = entry.path.split("/");
  if (entry.path.startsWith("/") || /^[a-z]:/i.test(entry.path)) throw refuse("has an absolute path");
  if (parts.includes("..") || /[\\\0]/.test(entry.path)) throw refuse("leads out of the archive");
  if (entry.size > MAX_FILE_BYTES) throw refuse(`is larger than ${MAX_FILE_BYTES / 2 ** 20} MiB`);
  const path = parts.filter((part) => part !== "" && part !== ".").join("/");
  if (entry.type === "Directory") return { path, kind: "folder", bytes: 0 };
  if (entry.type === "File" || entry.type === "OldFile") return { path, kind: "file", bytes: entry.size };
  throw refuse(`is a ${entry.type}, not a file or folder`);
}

/** Puts the file into `finished` as soon as its last byte has come by. */
function collect(
  entry: ReadEntry,
  file: TarFile,
  wanted: (file: string) => boolean,
  finished: TarFile[],
): void {
  if (file.kind === "folder" || !wanted(file.path)) {
    entry.on("end", () => finished.push(file));
    entry.resume();
    return;
  }
  const chunks: Buffer[] = [];
  entry.on("data", (chunk: Buffer) => chunks.push(chunk));
  entry.on("end", () => finished.push({ ...file, content: Buffer.concat(chunks) }));
}

function archiveError(error: unknown, path: string): unknown {
  const known = fileError(error, "read", path);
  if (known instanceof UserError) return known;
  const reason = error instanceof Error ? error.message : String(error);
  return new UserError(`${path} is not a whole .tar.gz archive (${reason}); get it again`, { cause: error });
}

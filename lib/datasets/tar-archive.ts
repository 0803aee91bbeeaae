import { stat } from "node:fs/promises";
import { Parser, type ReadEntry } from "tar";
import { UserError } from "../util/errors.js";
import { type ArchiveFile, checkedPath, checkExpansion, checkFileSize } from "./archive-file.js";
import type { TarKind } from "./archive-kind.js";
import { decompressed } from "./decompression.js";

/** The files and folders of a tar archive, read as a stream; see `archiveFiles`. */
export async function* tarFiles(
  path: string,
  kind: TarKind,
  wanted: (file: string) => boolean,
): AsyncGenerator<ArchiveFile, void, undefined> {
  const finished: ArchiveFile[] = [];
  const failures: Error[] = [];
  const parser = new Parser({ strict: true });
  const seen = { end: false };
  // A compressed archive that is cut off tells by its compression; this one only by the empty blocks at its end.
  parser.on("nullBlock", () => (seen.end = true));
  parser.on("error", (error: Error) => failures.push(error));
  parser.on("entry", (entry: ReadEntry) => {
    try {
      collect(path, entry, wanted, finished);
    } catch (error) {
      failures.push(error as Error);
      entry.resume();
    }
  });

  const stored = (await stat(path)).size;
  let bytes = 0;
  for await (const chunk of decompressed(path, kind)) {
    bytes += chunk.length;
    checkExpansion(path, bytes, stored);
    parser.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    if (failures[0] !== undefined) throw failures[0];
    yield* finished.splice(0);
  }
  parser.end();
  if (failures[0] !== undefined) throw failures[0];
  if (!seen.end) throw new Error("it ends too early");
  yield* finished.splice(0);
}

/** Name, kind and size of an entry, once they are known to be harmless. */
function checkedEntry(archive: string, entry: ReadEntry): ArchiveFile {
  const path = checkedPath(archive, entry.path);
  if (entry.type === "Directory") return { path, kind: "folder", bytes: 0 };
  if (entry.type === "File" || entry.type === "OldFile") return { path, kind: "file", bytes: entry.size };
  throw new UserError(
    `${archive}: entry ${JSON.stringify(entry.path)} is a ${entry.type}, not a file or folder; the archive is refused ` +
      "(pack it with tar --dereference --hard-dereference)",
  );
}

/** Puts the file into `finished` as soon as its last byte has come by. */
function collect(
  archive: string,
  entry: ReadEntry,
  wanted: (file: string) => boolean,
  finished: ArchiveFile[],
): void {
  const file = checkedEntry(archive, entry);
  if (file.kind === "folder" || !wanted(file.path)) {
    entry.on("end", () => finished.push(file));
    entry.resume();
    return;
  }
  checkFileSize(archive, entry.path, entry.size);
  const chunks: Buffer[] = [];
  entry.on("data", (chunk: Buffer) => chunks.push(chunk));
  entry.on("end", () => finished.push({ ...file, content: Buffer.concat(chunks) }));
}

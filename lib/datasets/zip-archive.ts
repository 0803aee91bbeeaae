import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";
import { type Entry, open, type Options, type ZipFile } from "yauzl";
import { UserError } from "../util/errors.js";
import { type ArchiveFile, checkedPath, checkExpansion, checkFileSize } from "./archive-file.js";

const openZip = promisify(open as (path: string, options: Options, done: Opened) => void);
type Opened = (error: Error | null, zip: ZipFile) => void;

/** How the reader of the directory begins to speak of a name that leads out of the archive. */
const UNSAFE_NAME = /^(invalid relative path|absolute path|invalid characters in fileName): /;

/** The files and folders of a zip archive, as its directory lists them; see `archiveFiles`. */
export async function* zipFiles(
  path: string,
  wanted: (file: string) => boolean,
): AsyncGenerator<ArchiveFile, void, undefined> {
  const zip = await openZip(path, { lazyEntries: true, autoClose: false });
  try {
    for (;;) {
      const entry = await nextEntry(zip).catch((error: unknown) => {
        if (error instanceof Error && UNSAFE_NAME.test(error.message))
          throw new UserError(`${path}: ${error.message}; the archive is refused`, { cause: error });
        throw error;
      });
      if (entry === undefined) return;
      const file = checkedEntry(path, entry);
      if (file.kind === "folder" || !wanted(file.path)) yield file;
      else yield { ...file, content: await contentOf(path, zip, entry) };
    }
  } finally {
    zip.close();
  }
}

function nextEntry(zip: ZipFile): Promise<Entry | undefined> {
  return new Promise((resolve, reject) => {
    const settle =
      <Value>(how: (value: Value) => void) =>
      (value: Value) => {
        zip.removeAllListeners();
        how(value);
      };
    zip.once("entry", settle<Entry>(resolve));
    zip.once(
      "end",
      settle(() => {
        resolve(undefined);
      }),
    );
    zip.once("error", settle<Error>(reject));
    zip.readEntry();
  });
}

const MADE_ON_UNIX = 3;
const FILE_TYPE = 0o170000;
const LINK = 0o120000;

function checkedEntry(archive: string, entry: Entry): ArchiveFile {
  const { fileName, uncompressedSize } = entry;
  const path = checkedPath(archive, fileName);
  const mode = entry.versionMadeBy >>> 8 === MADE_ON_UNIX ? entry.externalFileAttributes >>> 16 : 0;
  const refuse = (reason: string) =>
    new UserError(`${archive}: entry ${JSON.stringify(fileName)} ${reason}; the archive is refused`);
  if ((mode & FILE_TYPE) === LINK) throw refuse("is a SymbolicLink, not a file or folder");
  if (entry.isEncrypted()) throw refuse("is encrypted");
  return fileName.endsWith("/")
    ? { path, kind: "folder", bytes: 0 }
    : { path, kind: "file", bytes: uncompressedSize };
}

async function contentOf(archive: string, zip: ZipFile, entry: Entry): Promise<Buffer> {
  checkFileSize(archive, entry.fileName, entry.uncompressedSize);
  checkExpansion(archive, entry.uncompressedSize, entry.compressedSize);
  const stream = await new Promise<Readable>((resolve, reject) => {
    zip.openReadStream(entry, (error, opened) => {
      if (error === null) resolve(opened);
      else reject(error);
    });
  });
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  const content = Buffer.concat(chunks);
  if (crc32(content) !== entry.crc32)
    throw new UserError(
      `${archive}: ${JSON.stringify(entry.fileName)} is damaged, its checksum is another; get the archive again`,
    );
  return content;
}

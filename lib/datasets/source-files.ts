import { createHash } from "node:crypto";
import { readFile, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { fileError, sha256, sha256OfFile, writeFileAtomic } from "../util/files.js";
import { walkFolder, type WalkedFile } from "./folder-walk.js";
import { DEFAULT_CACHE, type LoadOptions } from "./progress.js";

/** What data are read from, with ways to know it again. */
export interface SourceFiles {
  /** Quick: differs once anything was written to the files since. */
  stamp(): Promise<string>;
  /** Hash of the content alone: the same data have the same one under every path and with any file times. */
  fingerprint(options: LoadOptions): Promise<string>;
}

/** The folder or file at `path`; a UserError where there is none. */
export function sourceFiles(path: string): SourceFiles {
  return {
    stamp: async () => stampOf(await filesBelow(path)),
    fingerprint: async (options) => fingerprintOf(path, options),
  };
}

interface Found {
  readonly folders: readonly string[];
  readonly files: readonly WalkedFile[];
}

/** A single file stands for itself, with no name: an archive by another name is the same archive. */
async function filesBelow(path: string): Promise<Found> {
  const stats = await stat(path, { bigint: true }).catch((error: unknown) => {
    throw fileError(error, "read", path);
  });
  return stats.isDirectory() ? walkFolder(path) : { folders: [], files: [{ path: "", stats }] };
}

/**
 * Of each file: its name, which file it is, its size and times.
 *
 * Size and modification time alone would not do: `touch -d`, `cp -p`, `rsync -t` and every unpacking of an archive set
 * the time that they like. The time of change (ctime) nobody can set; the system sets it whenever content, time or
 * name of the file is changed. The device and the inode tell files apart that were moved onto each other's names
 * together with a folder around them, which leaves all times as they were.
 */
function stampOf({ folders, files }: Found): string {
  const hash = createHash("sha256").update(folders.join("\n"));
  for (const { path, stats, broken = "" } of files) {
    const { dev, ino, size, mtimeNs, ctimeNs } = stats;
    hash.update(`\n${[path, broken, dev, ino, size, mtimeNs, ctimeNs].join("\0")}`);
  }
  return hash.digest("hex");
}

/**
 * Reading all files takes long where they are many, so what a stamp stood for is noted in the cache folder. A note is
 * believed because equal stamps mean equal bytes; where they need not (see `isTelling`), every byte is read each time.
 */
async function fingerprintOf(path: string, { cacheFolder, onProgress }: LoadOptions): Promise<string> {
  const begun = BigInt(Date.now()) * 1_000_000n;
  const found = await filesBelow(path);
  const folder = cacheFolder ?? DEFAULT_CACHE;
  const note =
    folder !== false && (await isTelling(path, found, begun))
      ? join(folder, "fingerprints", stampOf(found))
      : undefined;
  const noted = note === undefined ? "" : await readFile(note, "utf8").catch(() => "");
  if (/^[0-9a-f]{64}$/.test(noted)) return noted;
  const content = await contentHash(path, found, onProgress);
  // Without a note the bytes are read again next time, which is no reason to stop here.
  if (note !== undefined) await writeFileAtomic(note, content).catch(() => undefined);
  return content;
}

/**
 * Linux file systems, by the number that statfs gives, that keep the time of change themselves: ext, XFS, Btrfs, ZFS,
 * F2FS, bcachefs; tmpfs, overlay, NFS, Lustre, GPFS, Ceph. Not SquashFS, ISO 9660, FAT and FUSE, which make one up.
 */
const KEEPS_CTIME = new Set([
  ...[0xef53, 0x58465342, 0x9123683e, 0x2fc12fc1, 0xf2f52010, 0xca451a4e],
  ...[0x01021994, 0x794c7630, 0x6969, 0x0bd00bd0, 0x47504653, 0x00c36400],
]);
/** The coarsest clock of those file systems ticks once a second. */
const UNSETTLED_NS = 2_000_000_000n;

/**
 * Whether any later change must change the stamp: the file systems keep the time of change, and the last change was
 * not just now, when another one could still get the same time.
 */
async function isTelling(root: string, { files }: Found, now: bigint): Promise<boolean> {
  const oneOnEach = new Map(files.map(({ path, stats, broken }) => [stats.dev, broken ? "" : path]));
  for (const path of oneOnEach.values()) {
    const kind = await statfs(join(root, path)).catch(() => undefined);
    if (kind === undefined || !KEEPS_CTIME.has(kind.type)) return false;
  }
  return files.every(({ stats }) => stats.ctimeNs < now - UNSETTLED_NS);
}

/** Enough to keep a disk or a network busy. */
const IN_FLIGHT = 32;
/** Progress is told once for this many files. */
const PROGRESS_STEP = 64 * IN_FLIGHT;
/** Smaller files are read in one go. */
const SMALL_BYTES = 2n ** 20n;

async function contentHash(
  root: string,
  { folders, files }: Found,
  onProgress: LoadOptions["onProgress"],
): Promise<string> {
  const hash = createHash("sha256").update(folders.join("\n"));
  for (let n = 0; n < files.length; n += IN_FLIGHT) {
    const some = files.slice(n, n + IN_FLIGHT);
    const hashes = await Promise.all(some.map((file) => hashOfFile(root, file)));
    for (const [i, { path }] of some.entries()) hash.update(`\n${path}\0${hashes[i] ?? ""}`);
    if (n % PROGRESS_STEP === 0 && n > 0)
      onProgress?.({ stage: "compare", done: n, total: files.length, unit: "files" });
  }
  return hash.digest("hex");
}

async function hashOfFile(root: string, { path, stats, broken }: WalkedFile): Promise<string> {
  if (broken !== undefined) return broken;
  const at = join(root, path);
  if (stats.size >= SMALL_BYTES) return sha256OfFile(at);
  return sha256(
    await readFile(at).catch((error: unknown) => {
      throw fileError(error, "read", at);
    }),
  );
}

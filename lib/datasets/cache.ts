import { existsSync } from "node:fs";
import { open, readdir, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { UserError } from "../util/errors.js";
import { canonicalJson } from "../util/canonical-json.js";
import { sha256, writeFileAtomic } from "../util/files.js";
import { clearLeftLock, type FolderLock, lockFolder, lockOnceFree } from "../util/folder-lock.js";
import type { ImageSet } from "./dataset.js";
import { valuesPerImage } from "../util/image-size.js";
import { readJson } from "../util/json-file.js";
import type { DecodedSplits } from "./image-folder.js";
import { DEFAULT_CACHE, type LoadOptions, reportTo } from "./progress.js";
import type { SourceFiles } from "./source-files.js";

/** Raised when the layout of the files or the meaning of decoding changes. */
const CACHE_VERSION = 3;
/** One read call takes less than 2 GiB. */
const READ_BYTES = 2 ** 30;

const splitSchema = z.strictObject({
  examples: z.int().min(1),
  size: z.strictObject({ height: z.int().min(1), width: z.int().min(1) }),
  classNames: z.array(z.string()),
  paths: z.array(z.string()).optional(),
  hasCoarseLabels: z.boolean(),
  sha256: z.string(),
});
const metaSchema = z.strictObject({
  splits: z.record(z.string(), splitSchema),
  skipped: z.array(z.strictObject({ file: z.string(), reason: z.string() })),
  /** SHA-256 of the canonical JSON of all the rest. */
  sum: z.string(),
});
type Meta = z.output<typeof metaSchema>;
type SplitMeta = z.infer<typeof splitSchema>;

/** Decoded splits with the hash of their content. */
export interface HashedSplits<Name extends string> extends DecodedSplits<Name> {
  readonly hash: string;
}

/** How splits are made: from which files, with which settings, in which way. */
export interface Recipe<Name extends string> {
  readonly source: SourceFiles;
  /** Plain data that changes whenever the result would, other than by the files. */
  readonly settings: unknown;
  readonly names: readonly Name[];
  readonly decode: () => Promise<DecodedSplits<Name>>;
}

/**
 * What the recipe's `decode` gives, kept under `<cache folder>/<hash of content and settings>/`: `<split>.bin` holds
 * the typed arrays one after the other, `meta.json` the rest and is written last, so that a killed import leaves
 * nothing half-done; what it leaves goes with the next one. A later call reads each split back in one go; a damaged entry is reported and decoded anew.
 *
 * An entry is found by the content of the files that it was made of, never by their path or their times: it cannot be
 * older than its source, and the same data elsewhere find it too.
 */
export async function cachedSplits<Name extends string>(
  recipe: Recipe<Name>,
  options: LoadOptions,
): Promise<HashedSplits<Name>> {
  const { names, decode, source } = recipe;
  if (options.cacheFolder === false) return hashed(await decode());
  const stamp = await source.stamp();
  const folder = await entryOf(recipe, options);
  const kept = await keptSplits(folder, names, options);
  if (kept !== undefined) {
    // Of a process that was killed when all was written, but for the end of its lock.
    await clearLeftLock(folder);
    return kept;
  }
  const { lock, hasWaited } = await lockEntry(folder, options);
  try {
    const meanwhile = hasWaited ? await keptSplits(folder, names, options) : undefined;
    if (meanwhile !== undefined) return meanwhile;
    const decoded = hashed(await decode());
    if ((await source.stamp()) !== stamp)
      throw new UserError("the data changed while they were read; call it again once they are in place");
    await clearUnfinished(folder);
    await writeSplits(folder, names, decoded).catch((error: unknown) => {
      // They are there all the same; the next call makes them anew.
      if (!(error instanceof UserError)) throw error;
      reportTo(options)(`the decoded images are not kept: ${error.message}`);
    });
    return decoded;
  } finally {
    await lock?.release();
    // Of a decoding that failed nothing stays.
    await rmdir(folder).catch(() => undefined);
  }
}

async function keptSplits<Name extends string>(
  folder: string,
  names: readonly Name[],
  options: LoadOptions,
): Promise<HashedSplits<Name> | undefined> {
  try {
    return await readSplits(folder, names);
  } catch (error) {
    reportTo(options)(`the decoded images in ${folder} are damaged (${String(error)}); decoding them again`);
    return undefined;
  }
}

/**
 * The lock of an entry, so that of several trainings that begin at once on a machine one decodes and the others wait for
 * it; none where the cache cannot be written.
 */
async function lockEntry(
  folder: string,
  options: LoadOptions,
): Promise<{ readonly lock: FolderLock | undefined; readonly hasWaited: boolean }> {
  let hasWaited = false;
  try {
    const lock = await lockOnceFree(folder, () => {
      hasWaited = true;
      reportTo(options)("another process decodes the same images; waiting for it");
    });
    return { lock, hasWaited };
  } catch {
    return { lock: undefined, hasWaited };
  }
}

/** Removes the other entries beside this one that have no meta.json and are nobody's: imports that were killed. */
async function clearUnfinished(own: string): Promise<void> {
  const cache = dirname(own);
  for (const name of await readdir(cache).catch(() => [])) {
    const folder = join(cache, name);
    const isUnfinished = (): boolean => !existsSync(join(folder, "meta.json"));
    if (folder === own || !/^[0-9a-f]{32}$/.test(name) || !isUnfinished()) continue;
    // Who is at work there has the lock.
    const lock = await lockFolder(folder).catch(() => undefined);
    if (lock !== undefined && isUnfinished()) await rm(folder, { recursive: true }).catch(() => undefined);
    await lock?.release();
  }
}

/** The hash that `cachedSplits` gives, without reading any image, where they were decoded before; else undefined. */
export async function cachedHash<Name extends string>(
  recipe: Recipe<Name>,
  options: LoadOptions,
): Promise<string | undefined> {
  if (options.cacheFolder === false) return undefined;
  const meta = await entryOf(recipe, options)
    .then(readMeta)
    .catch(() => undefined);
  if (meta === undefined) return undefined;
  const parts = recipe.names.map((name) => {
    const split = meta.splits[name];
    return split === undefined ? undefined : hashPart(name, split, split.sha256);
  });
  return parts.includes(undefined) ? undefined : sha256(JSON.stringify(parts));
}

async function entryOf({ source, settings }: Recipe<string>, options: LoadOptions): Promise<string> {
  const content = await source.fingerprint(options);
  const key = sha256(JSON.stringify([CACHE_VERSION, content, settings])).slice(0, 32);
  return join(options.cacheFolder || DEFAULT_CACHE, key);
}

/** Adds the hash of the content: images, labels, ids, sizes and class names of every split. */
export function hashed<Name extends string>(decoded: DecodedSplits<Name>): HashedSplits<Name> {
  const parts = (Object.entries(decoded.splits) as [Name, ImageSet][]).map(([name, set]) =>
    hashPart(name, set, sha256(partsOf(set))),
  );
  return { ...decoded, hash: sha256(JSON.stringify(parts)) };
}

function hashPart(
  name: string,
  { size, classNames }: Pick<ImageSet, "size" | "classNames">,
  content: string,
): unknown {
  return [name, size.height, size.width, classNames, content];
}

async function writeSplits<Name extends string>(
  folder: string,
  names: readonly Name[],
  { splits, skipped }: DecodedSplits<Name>,
): Promise<void> {
  const metas: Record<string, SplitMeta> = {};
  for (const name of names) {
    const set = splits[name];
    const parts = partsOf(set);
    await writeFileAtomic(join(folder, `${name}.bin`), parts);
    metas[name] = {
      examples: set.labels.length,
      size: set.size,
      classNames: [...set.classNames],
      ...(set.paths === undefined ? {} : { paths: [...set.paths] }),
      hasCoarseLabels: set.coarseLabels !== undefined,
      sha256: sha256(parts),
    };
  }
  const content = { splits: metas, skipped: [...skipped] };
  await writeFileAtomic(join(folder, "meta.json"), JSON.stringify({ ...content, sum: sumOf(content) }));
}

/** The kept splits, or undefined where none are kept; throws where they are damaged. */
async function readSplits<Name extends string>(
  folder: string,
  names: readonly Name[],
): Promise<HashedSplits<Name> | undefined> {
  const meta = readMeta(folder);
  if (meta === undefined) return undefined;
  const splits: Partial<Record<Name, ImageSet>> = {};
  const parts: unknown[] = [];
  for (const name of names) {
    const split = meta.splits[name];
    if (split === undefined) throw new UserError(`split ${name} is missing`);
    const set = await readSplit(join(folder, `${name}.bin`), split);
    splits[name] = set;
    parts.push(hashPart(name, set, split.sha256));
  }
  return {
    splits: splits as Record<Name, ImageSet>,
    skipped: meta.skipped,
    hash: sha256(JSON.stringify(parts)),
  };
}

function readMeta(folder: string): Meta | undefined {
  const path = join(folder, "meta.json");
  if (!existsSync(path)) return undefined;
  const { sum, ...content } = readJson(path, metaSchema);
  if (sum !== sumOf(content)) throw new UserError(`${path} was changed after it was written`);
  return { ...content, sum };
}

function sumOf(content: Omit<Meta, "sum">): string {
  return sha256(canonicalJson(content));
}

async function readSplit(path: string, meta: SplitMeta): Promise<ImageSet> {
  const { examples: n } = meta;
  const arrays = meta.hasCoarseLabels ? 3 : 2;
  const bytes = 4 * n * arrays + n * valuesPerImage(meta.size);
  const content = await readExactly(path, bytes);
  if (sha256(content) !== meta.sha256)
    throw new UserError(`${path} has another checksum than when it was written`);
  const int32 = (array: number) => new Int32Array(content.buffer, 4 * n * array, n);
  return {
    images: content.subarray(4 * n * arrays),
    labels: int32(0),
    ids: int32(1),
    size: meta.size,
    classNames: meta.classNames,
    ...(meta.paths === undefined ? {} : { paths: meta.paths }),
    ...(meta.hasCoarseLabels ? { coarseLabels: int32(2) } : {}),
  };
}

async function readExactly(path: string, bytes: number): Promise<Uint8Array> {
  const content = new Uint8Array(bytes);
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    if (size !== bytes) throw new UserError(`${path} has ${size} bytes, expected ${bytes}`);
    for (let at = 0; at < bytes;) {
      const { bytesRead } = await file.read(content, at, Math.min(READ_BYTES, bytes - at), at);
      if (bytesRead === 0) throw new UserError(`${path} ends too early`);
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
  return content;
}

/** Labels, ids, superclasses if any, images: numbers first, so that they stay aligned. */
function partsOf(set: ImageSet): Uint8Array[] {
  const numbers = [set.labels, set.ids, ...(set.coarseLabels === undefined ? [] : [set.coarseLabels])];
  return [
    ...numbers.map((array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength)),
    set.images,
  ];
}

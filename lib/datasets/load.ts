import { basename, join } from "node:path";
import { UserError } from "../util/errors.js";
import { cachedSplits, hashed, type HashedSplits } from "./cache.js";
import { joinCScores, readCScores } from "./c-scores.js";
import { CIFAR100_COARSE_CLASSES } from "./cifar-classes.js";
import { CIFAR_FORMATS, cifarBatches, decodeCifar } from "./cifar.js";
import type { Dataset, ImageSet, SkippedFile } from "./dataset.js";
import { download } from "./download.js";
import { fileTree } from "./file-tree.js";
import { decodeSplits } from "./image-folder.js";
import { layoutOfSplit } from "./image-layout.js";
import { proceduralSplit } from "./procedural.js";
import { reportTo, type LoadOptions } from "./progress.js";
import {
  type CifarSource,
  type DatasetSource,
  type FolderSource,
  resolveDatasetSource,
  type ResolvedDatasetSource,
  type TinyImageNetSource,
} from "./source.js";
import { tinyImageNetLayouts } from "./tiny-imagenet-layout.js";

const SPLITS = ["train", "test"] as const;
const DEFAULT_DOWNLOADS = join("data", "downloads");

/**
 * Loads a training and a test split into memory: decoded once, read back from the cache afterwards.
 *
 * C-scores, where given, are joined to the training split by original index.
 * Throws a UserError that names the file and the reason for anything missing, damaged or foreign.
 */
export async function loadDataset(source: DatasetSource, options: LoadOptions = {}): Promise<Dataset> {
  const resolved = resolveDatasetSource(source);
  if (resolved.kind === "procedural") {
    const splits = { train: proceduralSplit(resolved, "train"), test: proceduralSplit(resolved, "test") };
    return dataset("procedural", hashed({ splits, skipped: [] }));
  }
  const decoded = await decodedSplits(resolved, options);
  reportSkipped(decoded.skipped, resolved.path ?? resolved.kind, options);
  const name = resolved.kind === "folder" ? basename(resolved.path) : resolved.kind;
  const scored = await withCScores(decoded, resolved.cScores);
  return dataset(
    name,
    resolved.kind === "cifar100" && resolved.labels === "coarse" ? withSuperclasses(scored) : scored,
  );
}

type Splits = HashedSplits<"train" | "test">;

function decodedSplits(
  source: Exclude<ResolvedDatasetSource, { kind: "procedural" }>,
  options: LoadOptions,
): Promise<Splits> {
  if (source.kind === "folder") return loadFolder(source, options);
  return source.kind === "tinyimagenet" ? loadTinyImageNet(source, options) : loadCifar(source, options);
}

async function withCScores(decoded: Splits, path: string | undefined): Promise<Splits> {
  if (path === undefined) return decoded;
  const train = joinCScores(decoded.splits.train, await readCScores(path), path);
  return { ...decoded, splits: { ...decoded.splits, train } };
}

/** CIFAR-100 with its 20 superclasses for labels. */
function withSuperclasses({ splits, skipped }: Splits): Splits {
  const relabelled = ({ coarseLabels, labels, ...set }: ImageSet): ImageSet => ({
    ...set,
    labels: coarseLabels ?? labels,
    classNames: CIFAR100_COARSE_CLASSES,
  });
  return hashed({ splits: { train: relabelled(splits.train), test: relabelled(splits.test) }, skipped });
}

function dataset(name: string, { splits, skipped, hash }: HashedSplits<"train" | "test">): Dataset {
  return { name, hash, train: splits.train, test: splits.test, skipped };
}

async function loadFolder(source: FolderSource, options: LoadOptions): Promise<Splits> {
  const tree = await fileTree(source.path);
  const train = layoutOfSplit(tree, "train");
  const test = layoutOfSplit(tree, "test", { classNames: train.classNames });
  const { size, onBroken } = source;
  return cachedSplits(
    ["folder", tree.fingerprint, size, onBroken],
    SPLITS,
    () =>
      decodeSplits(tree, { train, test }, { size: square(size), onBroken, onProgress: options.onProgress }),
    options,
  );
}

async function loadTinyImageNet(source: TinyImageNetSource, options: LoadOptions): Promise<Splits> {
  const tree = await fileTree(source.path);
  const layouts = await tinyImageNetLayouts(tree);
  const { onBroken } = source;
  return cachedSplits(
    ["tinyimagenet", tree.fingerprint, onBroken],
    SPLITS,
    () => decodeSplits(tree, layouts, { onBroken, onProgress: options.onProgress }),
    options,
  );
}

async function loadCifar(source: CifarSource, options: LoadOptions): Promise<Splits> {
  const { kind, partial } = source;
  const batches = await cifarBatches(kind, source.path ?? (await downloadedArchive(source, options)));
  return cachedSplits(
    [kind, batches.fingerprint, partial],
    SPLITS,
    async () => ({ splits: await decodeCifar(kind, batches, partial), skipped: [] }),
    options,
  );
}

async function downloadedArchive(
  { kind, download: isAllowed }: CifarSource,
  options: LoadOptions,
): Promise<string> {
  if (!isAllowed)
    throw new UserError(`${kind} needs the path of its archive or folder, or download set to true`);
  const { url, md5 } = CIFAR_FORMATS[kind];
  const path = join(options.downloadFolder ?? DEFAULT_DOWNLOADS, basename(url));
  await download(url, path, md5, options);
  return path;
}

export interface ImageSplitOptions extends LoadOptions {
  /** The classes allowed, in the order of their labels, such as those that a model knows. */
  readonly classNames: readonly string[];
  /** Which split to read, where the folder has splits. Default `test`. */
  readonly split?: "train" | "test";
  /** Side in pixels that all images are resized to; default: the first image's size, which all must have. */
  readonly size?: number;
  readonly onBroken?: "fail" | "skip";
  readonly cScores?: string;
}

/** One split with its content's hash and what was left out. */
export interface ImageSplit {
  readonly set: ImageSet;
  readonly hash: string;
  readonly skipped: readonly SkippedFile[];
}

/**
 * Loads one split of an image folder or an archive of one, or a folder whose classes lie directly in it.
 *
 * Throws a UserError, naming the classes allowed, for a class folder that is none of `classNames`.
 */
export async function loadImageSplit(path: string, options: ImageSplitOptions): Promise<ImageSplit> {
  const { classNames, split = "test", size, onBroken = "fail" } = options;
  const tree = await fileTree(path);
  const layout = layoutOfSplit(tree, split, { classNames, bare: true });
  const { splits, hash, skipped } = await cachedSplits(
    ["split", tree.fingerprint, split, classNames, size, onBroken],
    ["only"],
    () =>
      decodeSplits(tree, { only: layout }, { size: square(size), onBroken, onProgress: options.onProgress }),
    options,
  );
  reportSkipped(skipped, path, options);
  const set =
    options.cScores === undefined
      ? splits.only
      : joinCScores(splits.only, await readCScores(options.cScores), options.cScores);
  return { set, hash, skipped };
}

/** Broken files are never left out silently. */
function reportSkipped(skipped: readonly SkippedFile[], where: string, options: LoadOptions): void {
  const [first] = skipped;
  if (first !== undefined)
    reportTo(options)(
      `${where}: ${skipped.length} files skipped, the first is ${first.file}: ${first.reason}`,
    );
}

function square(side: number | undefined): { height: number; width: number } | undefined {
  return side === undefined ? undefined : { height: side, width: side };
}

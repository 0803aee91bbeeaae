import { basename } from "node:path";
import { cachedHash, cachedSplits, hashed, type HashedSplits } from "./cache.js";
import { joinCScores, readCScores } from "./c-scores.js";
import { CIFAR100_COARSE_CLASSES } from "./cifar-classes.js";
import type { Dataset, ImageSet, SkippedFile } from "./dataset.js";
import { proceduralTypicality } from "./procedural.js";
import { reportTo, type LoadOptions } from "./progress.js";
import { datasetRecipe, splitRecipe } from "./recipes.js";
import { type DatasetSource, resolveDatasetSource, type ResolvedDatasetSource } from "./source.js";

/**
 * Loads a training and a test split into memory: decoded once, read back from the cache afterwards.
 *
 * C-scores, where given, are joined to the training split by original index.
 * Throws a UserError that names the file and the reason for anything missing, damaged or of another kind.
 */
export async function loadDataset(source: DatasetSource, options: LoadOptions = {}): Promise<Dataset> {
  const resolved = resolveDatasetSource(source);
  const recipe = await datasetRecipe(resolved, options, true);
  const kept = await cachedSplits(recipe, cachingOf(resolved, options));
  const { train, test } = kept.splits;
  if (resolved.kind === "procedural") {
    const scored = (set: ImageSet, split: "train" | "test"): ImageSet => ({
      ...set,
      cScores: proceduralTypicality(resolved, split),
    });
    return dataset("procedural", {
      ...kept,
      splits: { train: scored(train, "train"), test: scored(test, "test") },
    });
  }
  const where = resolved.path ?? resolved.kind;
  const found = { ...kept, skipped: belowRoot(where, kept.skipped) };
  reportSkipped(found.skipped, where, options);
  const name = resolved.kind === "folder" ? basename(resolved.path) : resolved.kind;
  const loaded = await withCScores(found, resolved.cScores);
  return dataset(name, isCoarse(resolved) ? withSuperclasses(loaded) : loaded);
}

/**
 * The hash of the data set that a source stands for now. Where its images were decoded before, none is read.
 *
 * Nothing is downloaded. Throws a UserError where the data are not there, or are no data set any more.
 */
export async function datasetHash(source: DatasetSource, options: LoadOptions = {}): Promise<string> {
  const resolved = resolveDatasetSource(source);
  const recipe = await datasetRecipe(resolved, options, false);
  const known = isCoarse(resolved) ? undefined : await cachedHash(recipe, cachingOf(resolved, options));
  return known ?? (await loadDataset(source, options)).hash;
}

type Splits = HashedSplits<"train" | "test">;

/** Made anew in less time than it takes to look them up. */
const MADE_AT_ONCE_BYTES = 2 ** 20;

function cachingOf(source: ResolvedDatasetSource, options: LoadOptions): LoadOptions {
  if (source.kind !== "procedural") return options;
  const bytes = (source.train + source.test) * 3 * source.size ** 2;
  return bytes < MADE_AT_ONCE_BYTES ? { ...options, cacheFolder: false } : options;
}

function isCoarse(source: ResolvedDatasetSource): boolean {
  return source.kind === "cifar100" && source.labels === "coarse";
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

function dataset(name: string, { splits, skipped, hash }: Splits): Dataset {
  return { name, hash, train: splits.train, test: splits.test, skipped };
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
  const recipe = splitRecipe(path, split, { classNames, size, onBroken }, options);
  const { splits, hash, ...kept } = await cachedSplits(recipe, options);
  const skipped = belowRoot(path, kept.skipped);
  reportSkipped(skipped, path, options);
  const set =
    options.cScores === undefined
      ? splits.only
      : joinCScores(splits.only, await readCScores(options.cScores), options.cScores);
  return { set, hash, skipped };
}

/** The cache knows files by their place in the data, wherever these lie. */
function belowRoot(root: string, skipped: readonly SkippedFile[]): SkippedFile[] {
  return skipped.map(({ file, reason }) => ({ file: `${root}/${file}`, reason }));
}

/** Broken files are never left out silently. */
function reportSkipped(skipped: readonly SkippedFile[], where: string, options: LoadOptions): void {
  const [first] = skipped;
  if (first !== undefined)
    reportTo(options)(
      `${where}: ${skipped.length} files skipped, the first is ${first.file}: ${first.reason}`,
    );
}

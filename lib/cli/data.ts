import { visibleText } from "../util/visible-text.js";
import { Command, Option } from "commander";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { CIFAR_FORMATS } from "../datasets/cifar.js";
import type { Dataset, ImageSet } from "../datasets/dataset.js";
import { md5OfFile } from "../datasets/download.js";
import { loadDataset } from "../datasets/load.js";
import { parseDatasetSource } from "../datasets/parse-source.js";
import type { LoadOptions, OnProgress } from "../datasets/progress.js";
import { resolveDatasetSource, type ResolvedDatasetSource } from "../datasets/source.js";
import { channelStatistics } from "../datasets/statistics.js";
import { UserError } from "../util/errors.js";
import { fileError } from "../util/files.js";
import { type Progress, startProgress } from "../util/progress.js";
import { wholeNumber } from "./options.js";
import { writeOut } from "./output.js";

interface DataOptions {
  readonly cScores?: string;
  readonly size?: number;
  readonly onBroken: "fail" | "skip";
  readonly partial?: true;
  readonly json?: true;
}

/** `cascade data import|verify|info <source>`. */
export function dataCommand(): Command {
  const command = new Command("data").description("import, verify and describe data sets");
  const sub = (name: string, description: string) =>
    command
      .command(name)
      .description(description)
      .argument(
        "<source>",
        "procedural, cifar10[=path], cifar100[=path], tinyimagenet=path, folder=path, or a path to a folder or an archive",
      )
      .option("--c-scores <file>", "npz file with labels and scores in original order")
      .option("--size <pixels>", "image folders: resize all images to this side", wholeNumber(1))
      .addOption(
        new Option("--on-broken <choice>", "image folders and TinyImageNet: what a broken image does")
          .choices(["fail", "skip"])
          .default("fail"),
      )
      .option("--partial", "CIFAR: accept other numbers of records than the published ones");
  sub("import", "decode, cache and report").action(importData);
  sub("verify", "check counts, checksums, labels and that every image decodes").action(verifyData);
  sub("info", "classes, counts, size, channel statistics, C-scores, hash")
    .option("--json", "print one JSON object")
    .action(describeData);
  return command;
}

async function importData(text: string, options: DataOptions): Promise<void> {
  const data = await load(await sourceOf(text, options));
  writeLines([summary(data), ...skippedLines(data)]);
}

async function verifyData(text: string, options: DataOptions): Promise<void> {
  const source = await sourceOf(text, options);
  const checksum = await checksumLine(source);
  const data = await load(source, { cacheFolder: false });
  const lines = [
    checksum,
    ...skippedLines(data),
    ...(["train", "test"] as const).map((name) => splitLine(name, data[name])),
  ];
  if (data.train.cScores !== undefined && source.kind !== "procedural")
    lines.push("C-scores: their labels equal those of all training images that they cover");
  writeLines([...lines, `all is well: ${summary(data)}`]);
}

async function describeData(text: string, options: DataOptions): Promise<void> {
  const data = await load(await sourceOf(text, options));
  const description = describe(data);
  if (options.json === true) writeOut(JSON.stringify(description));
  else writeLines(descriptionLines(data));
}

async function sourceOf(text: string, options: DataOptions): Promise<ResolvedDatasetSource> {
  const parsed = await parseDatasetSource(text);
  const skips = parsed.kind !== "tinyimagenet" && options.onBroken === "skip";
  if (parsed.kind !== "folder" && (options.size !== undefined || skips))
    throw new UserError(`--size and --on-broken are for image folders, but ${text} is ${parsed.kind}`);
  if (parsed.kind === "procedural" && options.cScores !== undefined)
    throw new UserError("the procedural set has its own typicality; --c-scores is not for it");
  if (!parsed.kind.startsWith("cifar") && options.partial === true)
    throw new UserError(`--partial is for CIFAR archives, but ${text} is ${parsed.kind}`);
  return resolveDatasetSource({
    ...parsed,
    ...(options.cScores === undefined ? {} : { cScores: options.cScores }),
    ...(parsed.kind === "folder" ? { size: options.size } : {}),
    ...("onBroken" in parsed ? { onBroken: options.onBroken } : {}),
    ...(options.partial === true ? { partial: true } : {}),
  });
}

/** Loads, and shows on standard error how far it is. */
async function load(source: ResolvedDatasetSource, options: LoadOptions = {}): Promise<Dataset> {
  const { onProgress, stop } = stageProgress();
  try {
    return await loadDataset(source, { ...options, onProgress });
  } finally {
    stop();
  }
}

/** One bar or line for each stage of loading. */
function stageProgress(): { readonly onProgress: OnProgress; readonly stop: () => void } {
  let shown: { readonly stage: string; readonly progress: Progress } | undefined;
  return {
    onProgress: ({ stage, done, total, unit }) => {
      if (shown?.stage !== stage) {
        shown?.progress.stop();
        shown = { stage, progress: startProgress({ label: `${stage} (${unit})`, total, initial: done }) };
      }
      shown.progress.update(done);
    },
    stop: () => shown?.progress.stop(),
  };
}

async function checksumLine(source: ResolvedDatasetSource): Promise<string> {
  if (source.kind !== "cifar10" && source.kind !== "cifar100")
    return "checksum: none is published for this source";
  const { path } = source;
  if (path === undefined) return "checksum: the download's MD5 is the published one";
  const found = await stat(path).catch((error: unknown) => {
    throw fileError(error, "read", path);
  });
  if (found.isDirectory())
    return "checksum: published for the archive only; the folder's records are checked";
  const { md5, url, python } = CIFAR_FORMATS[source.kind];
  const own = await md5OfFile(path);
  return own === md5 || own === python.md5
    ? `checksum: MD5 ${own}, as published`
    : `checksum: MD5 ${own} is not that of the published ${basename(url)} (${md5}); the records are checked all the same`;
}

/** What `data info --json` prints. */
function describe(data: Dataset) {
  const { train, test } = data;
  return {
    name: data.name,
    hash: data.hash,
    size: train.size,
    classes: train.classNames,
    examples: { train: train.labels.length, test: test.labels.length },
    perClass: { train: countsPerClass(train), test: countsPerClass(test) },
    channels: channelStatistics(train.images),
    cScores: train.cScores === undefined ? null : quantiles(train.cScores),
    skipped: data.skipped,
  };
}

function descriptionLines(data: Dataset): string[] {
  const { name, hash, size, classes, examples, perClass, channels, cScores } = describe(data);
  const triple = (values: readonly number[]) => values.map((value) => value.toFixed(4)).join(" ");
  return [
    `name      ${name}`,
    `hash      ${hash}`,
    `size      ${size.height} x ${size.width}`,
    `examples  ${examples.train} train, ${examples.test} test`,
    `mean      ${triple(channels.mean)} (red green blue, of value / 255)`,
    `std       ${triple(channels.std)}`,
    cScores === null
      ? "C-scores  none"
      : `C-scores  ${Object.entries(cScores)
          .map(([key, value]) => `${key} ${value.toFixed(3)}`)
          .join(", ")}`,
    `classes   ${classes.length} (train, test)`,
    ...classes.map((label, k) => `  ${label}  ${perClass.train[k] ?? 0}, ${perClass.test[k] ?? 0}`),
    ...skippedLines(data),
  ];
}

function countsPerClass({ labels, classNames }: ImageSet): number[] {
  const counts = classNames.map(() => 0);
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
}

/** Quantiles of the known scores, by the nearest rank. */
function quantiles(scores: Float32Array): Record<string, number> {
  const known = scores.filter((score) => !Number.isNaN(score)).sort();
  const at = (part: number) => known[Math.round(part * (known.length - 1))] ?? NaN;
  return {
    min: at(0),
    q10: at(0.1),
    q25: at(0.25),
    median: at(0.5),
    q75: at(0.75),
    q90: at(0.9),
    max: at(1),
  };
}

function summary({ name, train, test, skipped, hash }: Dataset): string {
  return (
    `${name}: ${train.labels.length} training and ${test.labels.length} test images of ` +
    `${train.size.height} x ${train.size.width} pixels, ${train.classNames.length} classes, ` +
    `${skipped.length} files skipped, hash ${hash.slice(0, 16)}`
  );
}

function splitLine(name: string, set: ImageSet): string {
  const counts = countsPerClass(set);
  return `${name}: ${set.labels.length} images decoded, ${Math.min(...counts)} to ${Math.max(...counts)} per class`;
}

function skippedLines({ skipped }: Dataset): string[] {
  return skipped.map(({ file, reason }) => `skipped ${file}: ${reason}`);
}

function writeLines(lines: readonly string[]): void {
  writeOut(lines.map(visibleText).join("\n"));
}

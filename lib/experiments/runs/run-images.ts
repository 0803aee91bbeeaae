import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Dataset } from "../../datasets/dataset.js";
import { loadDataset } from "../../datasets/load.js";
import type { LoadOptions } from "../../datasets/progress.js";
import type { ResolvedDatasetSource } from "../../datasets/source.js";
import { UserError } from "../../util/errors.js";
import { MODEL_FILE } from "./model-file.js";
import { readRun, type RunRecord } from "./run-record.js";
import type { Run } from "./run-store.js";
import { parseRunSpec } from "../specs/spec.js";

/** The file of a run that names the images it sees, written before its first step. */
const DATA = "data.json";

const seenSchema = z.object({
  name: z.string(),
  /** See `Dataset`: pixels, labels, ids and class names of both splits, wherever they lie. */
  hash: z.string(),
  train: z.number(),
  test: z.number(),
});
const dataSchema = seenSchema.extend({
  size: z.object({ height: z.number(), width: z.number() }),
  classNames: z.array(z.string()),
});
type Seen = z.output<typeof seenSchema>;

/** Runs from before there was data.json name their images where they end. */
const summarySchema = z.object({ data: seenSchema });

/** The images that a run saw; null for an unfinished run from before runs noted them. */
export function imagesSeen(record: RunRecord): Seen | null {
  if (existsSync(join(record.directory, DATA))) return record.readJson(DATA, dataSchema);
  const summary = summarySchema.safeParse(record.done?.summary);
  return summary.success ? summary.data.data : null;
}

/** Names of the classes of a run's images; none for a run from before runs noted them. */
export function classesSeen(directory: string): readonly string[] {
  const record = readRun(directory);
  return existsSync(join(record.directory, DATA)) ? record.readJson(DATA, dataSchema).classNames : [];
}

/** What a finished run came to: the same spec may have been run anew on other images or another machine. */
export function runOutcome(directory: string): Readonly<Record<string, unknown>> {
  const record = readRun(directory);
  const { files } = record.done ?? {};
  const traces = Object.entries(files ?? {}).filter(([name]) => name.endsWith(".arrow"));
  return {
    run: record.hash,
    weights: files?.[MODEL_FILE],
    traces: traces.map(([, sum]) => sum),
    images: imagesSeen(record)?.hash,
  };
}

/** Notes the images that an open run sees, or checks that they are those that it saw before. */
export async function noteImages(run: Run, dataset: Dataset, source: ResolvedDatasetSource): Promise<void> {
  if (existsSync(join(run.directory, DATA))) {
    assertSameImages(run.directory, dataset.hash, source);
    return;
  }
  const { name, hash, train, test } = dataset;
  const data: z.output<typeof dataSchema> = {
    name,
    hash,
    train: train.labels.length,
    test: test.labels.length,
    size: train.size,
    classNames: [...train.classNames],
  };
  await run.writeArtifact(DATA, `${JSON.stringify(data, null, 2)}\n`);
}

/** Throws a UserError where the run in `directory` saw other images than those that its `source` gives now. */
export function assertSameImages(directory: string, hash: string, source: ResolvedDatasetSource): void {
  const record = readRun(directory);
  const seen = imagesSeen(record);
  if (seen === null || seen.hash === hash) return;
  const where = source.kind === "procedural" ? "the procedural images" : (source.path ?? source.kind);
  throw new UserError(
    `the images of ${directory} have changed: it was ${record.isDone() ? "run" : "begun"} on ${seen.name} with hash ` +
      `${short(seen.hash)} (${seen.train} training, ${seen.test} test images), but ${where} now has hash ${short(hash)}; ` +
      `put the former images back, or delete ${directory} to train on the new ones`,
  );
}

/** Loads the images of a run anew, for analyses; a UserError where they are not those that it saw. */
export async function runDataset(directory: string, options: LoadOptions = {}): Promise<Dataset> {
  const { data } = parseRunSpec(readRun(directory).spec, directory);
  const dataset = await loadDataset(data, options);
  assertSameImages(directory, dataset.hash, data);
  return dataset;
}

function short(hash: string): string {
  return hash.slice(0, 12);
}

import { readRun } from "../../../experiments/runs/run-record.js";
import { openTrainedModel } from "../../../experiments/runs/trained-model.js";
import { runSummary } from "../../../experiments/runs/run-summary.js";
import type { RunSpec } from "../../../experiments/specs/spec.js";
import { sha256 } from "../../../util/files.js";
import type { Analysis } from "../../evidence/cached-analysis.js";
import { NUMBER } from "../../evidence/format.js";
import type { PairedArms } from "../../evidence/paired-arms.js";
import type { Quantity } from "../../evidence/quantities.js";
import type { StudyContext } from "../../study-context.js";
import {
  BINS,
  type HeldOut,
  type Relation,
  RELATIONS,
  SHOWN,
  type ThresholdResult,
  THRESHOLDS,
  type TraceTypicality,
  traceTypicality,
  traceTypicalitySchema,
} from "./typicality-of-trace.js";
import { CASCADED_CE, CASCADED_TD, SERIAL_TD_MULTIHEAD } from "../../evidence/model-names.js";

export const MODELS = [CASCADED_TD, SERIAL_TD_MULTIHEAD, CASCADED_CE] as const;
/** What the images are called in tables: those of the data, or made ones whose typicality is known. */
export type Images = "data set" | "constructed";

/** One model of one seed on its held-out images. */
export interface RunTypicality extends TraceTypicality {
  readonly model: string;
  readonly seed: number;
  readonly run: string;
  readonly classNames: readonly string[];
}

/** The models that were run on one kind of images, as arms. */
export interface TypicalityArms {
  readonly images: Images;
  readonly arms: PairedArms<RunTypicality>;
}

const ANALYSIS: Analysis<TraceTypicality> = {
  name: "typicality",
  module: import.meta.url,
  schema: traceTypicalitySchema,
};

/** The models of a finished run on its held-out images. */
export async function runTypicality(
  spec: RunSpec,
  { set, cScores }: HeldOut,
  resamples: number,
  context: StudyContext,
): Promise<RunTypicality[]> {
  const directory = context.run(spec);
  const run = readRun(directory).hash;
  const { models, classNames } = runSummary(directory);
  const wanted = models.filter(({ model }) => MODELS.some((name) => name === model));
  const { hash: data } = await context.dataset();
  // The scores are no part of the images' hash, and their file may change.
  const scores = sha256(new Uint8Array(cScores.buffer, cScores.byteOffset, cScores.byteLength));
  const results: RunTypicality[] = [];
  for (const { model } of wanted) {
    const asked = { thresholds: THRESHOLDS, relations: RELATIONS, bins: BINS, shown: SHOWN, resamples };
    const key = { model, data, scores, ...asked };
    const result = await context.cachedOf(spec, ANALYSIS, key, async () => {
      context.onProgress(`typicality: ${model}, seed ${spec.seed}, ${set.labels.length} held-out images`);
      const trained = await openTrainedModel(directory, { model });
      const trace = trained.trace(set);
      trained.dispose();
      return traceTypicality(trace, cScores, spec.seed, resamples);
    });
    results.push({ model, seed: spec.seed, run, classNames, ...result });
  }
  return results;
}

export function resultAt({ thresholds }: RunTypicality, threshold: number): ThresholdResult {
  const found = thresholds.find((one) => one.threshold === threshold);
  if (found === undefined) throw new RangeError(`no result at threshold ${threshold}`);
  return found;
}

/** Rank correlation of the C-score with latency or correctness; NaN where one is the same for all images. */
export function rhoOf(relation: Relation, threshold: number): Quantity<RunTypicality> {
  return {
    name: `rho of ${relation}`,
    unit: NUMBER,
    of: (run) => resultAt(run, threshold).correlations[relation].rho,
  };
}

/** A column of the class table, of one class; NaN where no image of it is held out. */
export function ofClass(label: number, column: string, unit = NUMBER, scale = 1): Quantity<RunTypicality> {
  return {
    name: column,
    unit,
    of: ({ classes }) => scale * (classes.find((row) => row["label"] === label)?.[column] ?? NaN),
  };
}

/** The classes that the main model's runs held images of. */
export function classLabels({ arms }: TypicalityArms): number[] {
  const labels = arms.results.flatMap(({ arm, measured }) =>
    arm === CASCADED_TD && measured !== "diverged" ? measured.classes.map((row) => row["label"] ?? NaN) : [],
  );
  return [...new Set(labels)];
}

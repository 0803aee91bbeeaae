import { z } from "zod";
import { type ImageSet } from "../../../datasets/dataset.js";
import { subset } from "../../../datasets/split.js";
import type { RunSpec } from "../../../experiments/specs/spec.js";
import { trainingImages } from "../../../experiments/runs/image-splits.js";
import type { StoppingRule } from "../../../trace/stopping-time.js";
import { subtrace } from "../../../trace/subtrace.js";
import type { Trace } from "../../../trace/trace.js";
import { selection, typicalityByClassTable, typicalityTable } from "../../../trace/typicality.js";
import { UserError } from "../../../util/errors.js";
import { randomStream } from "../../../util/random.js";
import { mean, quantile, spearman, spearmanInterval } from "../../../util/statistics.js";
import { cachedNumber } from "../../evidence/cached-analysis.js";
import { placesWithoutGroup } from "../../evidence/image-groups.js";
import type { StudyContext } from "../../study-context.js";

/** Confidence at which latency is read, chosen before any result was seen. */
export const MAIN_THRESHOLD = 0.7;
export const THRESHOLDS = [0.5, MAIN_THRESHOLD, 0.9] as const;
const MAIN_RULE: StoppingRule = { kind: "confidence", threshold: MAIN_THRESHOLD };

/** Bins of the C-score from 0 to 1. */
export const BINS = 20;

/** Most and least typical images that are shown of each class, and classes shown. */
export const SHOWN = 3;
const SHOWN_CLASSES = 10;

/** Images that a training held out, all with a C-score. */
export interface HeldOut {
  readonly set: ImageSet;
  readonly cScores: Float32Array;
}

/** The images that a training held out for validation and whose typicality is known. */
export async function heldOutImages(spec: RunSpec, context: StudyContext): Promise<HeldOut> {
  const { validation } = trainingImages(spec, await context.datasetOf(spec));
  const scores = validation.cScores ?? new Float32Array();
  const known = Array.from(scores.keys()).filter((n) => Number.isFinite(scores[n]));
  if (known.length === 0) {
    throw new UserError(
      "no image held out for validation has a C-score; give the data set's C-scores and a validation share above 0",
    );
  }
  const set = subset(validation, known);
  return { set, cScores: set.cScores ?? scores };
}

/** What the C-score is correlated with, over all images or over the rightly answered or the least typical ones. */
export const RELATIONS = [
  "latency",
  "latency of right answers",
  "latency of the least typical fifth",
  "correctness",
] as const;
export type Relation = (typeof RELATIONS)[number];

/** A rank correlation with its bootstrap interval over images. */
const correlationSchema = z.object({ rho: cachedNumber, low: cachedNumber, high: cachedNumber });
export type Correlation = z.output<typeof correlationSchema>;

const thresholdSchema = z.object({
  threshold: z.number(),
  meanLatency: z.number(),
  /** Share of the images that stopped before the last timestep. */
  stoppedEarly: z.number(),
  accuracy: z.number(),
  /** Of the C-score with each of these. */
  correlations: z.record(z.enum(RELATIONS), correlationSchema),
});
export type ThresholdResult = z.output<typeof thresholdSchema>;

/** A held-out image at one end of typicality within its class. */
const extremeSchema = z.object({
  /** Its place among the held-out images with a score. */
  place: z.number(),
  label: z.number(),
  end: z.enum(["most typical", "least typical"]),
  cScore: z.number(),
  latency: z.number(),
  right: z.boolean(),
});
export type Extreme = z.output<typeof extremeSchema>;

const rows = z.array(z.record(z.string(), cachedNumber));

/** What findings read. `classes`: rows of `typicalityByClassTable`, at the main threshold. */
const relatedSchema = z.object({ thresholds: z.array(thresholdSchema), classes: rows });

/** `bins`: rows of `typicalityTable`, at the main threshold. */
export const traceTypicalitySchema = relatedSchema.extend({
  examples: z.number(),
  bins: rows,
  extremes: z.array(extremeSchema),
  withoutGroup: z.array(relatedSchema),
});

/** Latency and correctness of one trace against typicality: plain data. */
export type TraceTypicality = z.output<typeof traceTypicalitySchema>;

/** Everything of a trace of held-out images; `seed` names the draws of its intervals. */
export function traceTypicality(
  trace: Trace,
  cScores: Float32Array,
  seed: number,
  resamples: number,
): TraceTypicality {
  return {
    examples: trace.examples,
    ...related(trace, cScores, seed, resamples),
    bins: numbersOf(typicalityTable(trace, cScores, MAIN_RULE, BINS)),
    extremes: extremesOf(trace, cScores, MAIN_RULE),
    withoutGroup: placesWithoutGroup(trace.ids).map((places) => {
      const scores = Float32Array.from(places, (n) => cScores[n] as number);
      // Intervals are of all images alone.
      return related(subtrace(trace, places), scores, seed, 0);
    }),
  };
}

function related(
  trace: Trace,
  cScores: Float32Array,
  seed: number,
  resamples: number,
): z.output<typeof relatedSchema> {
  return {
    thresholds: THRESHOLDS.map((threshold) => atThreshold(trace, cScores, threshold, seed, resamples)),
    classes: numbersOf(typicalityByClassTable(trace, cScores, MAIN_RULE)),
  };
}

function numbersOf(table: ReturnType<typeof typicalityTable>): Record<string, number>[] {
  const numeric = table.columnNames().filter((name) => name !== "model");
  return table.select(...numeric).objects({ limit: Infinity }) as Record<string, number>[];
}

function atThreshold(
  trace: Trace,
  cScores: Float32Array,
  threshold: number,
  seed: number,
  resamples: number,
): ThresholdResult {
  const { latencies, right } = selection(trace, { kind: "confidence", threshold });
  const fifth = quantile(cScores, 0.2);
  const correlation = (
    relation: Relation,
    values: ArrayLike<number>,
    counts: (n: number) => boolean = () => true,
  ): Correlation => {
    const among = Array.from(cScores.keys()).filter(counts);
    const x = among.map((n) => cScores[n] as number);
    const y = among.map((n) => values[n] as number);
    const stream = randomStream(seed, `typicality/${trace.model ?? ""}/${threshold}/${relation}`);
    return { rho: spearman(x, y), ...spearmanInterval(x, y, { stream, resamples }) };
  };
  return {
    threshold,
    meanLatency: mean(latencies),
    stoppedEarly: latencies.filter((t) => t < trace.timesteps - 1).length / trace.examples,
    accuracy: mean(right),
    correlations: {
      latency: correlation("latency", latencies),
      "latency of right answers": correlation("latency of right answers", latencies, (n) => right[n] === 1),
      "latency of the least typical fifth": correlation(
        "latency of the least typical fifth",
        latencies,
        (n) => (cScores[n] as number) <= fifth,
      ),
      correctness: correlation("correctness", right),
    },
  };
}

function extremesOf(trace: Trace, cScores: Float32Array, rule: StoppingRule): Extreme[] {
  const { latencies, right } = selection(trace, rule);
  const order = Array.from(cScores.keys()).sort((a, b) => (cScores[b] ?? 0) - (cScores[a] ?? 0));
  return Array.from({ length: Math.min(trace.classes, SHOWN_CLASSES) }, (_, label) => {
    const own = order.filter((n) => trace.labels[n] === label);
    const extreme = (end: Extreme["end"]) => (place: number) => ({
      place,
      label,
      end,
      cScore: cScores[place] ?? NaN,
      latency: latencies[place] ?? NaN,
      right: right[place] === 1,
    });
    return [
      ...own.slice(0, SHOWN).map(extreme("most typical")),
      ...own.slice(-SHOWN).map(extreme("least typical")),
    ];
  }).flat();
}

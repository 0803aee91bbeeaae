import { z } from "zod";
import { divergedSummary } from "../../experiments/runs/divergence.js";
import { readRun } from "../../experiments/runs/run-record.js";
import { runSummary } from "../../experiments/runs/run-summary.js";
import { testTrace } from "../../experiments/runs/run-trace.js";
import type { RunSpec } from "../../experiments/specs/spec.js";
import { namedModels } from "../../experiments/specs/names.js";
import { accuracyPerTimestep } from "../../trace/accuracy-per-timestep.js";
import { expectedCalibrationError } from "../../trace/calibration.js";
import { overthinking } from "../../trace/overthinking.js";
import { confidences } from "../../trace/probabilities.js";
import { negativeLogLikelihood } from "../../trace/proper-scores.js";
import { speedAccuracyCurve } from "../../trace/speed-accuracy-curve.js";
import type { Trace } from "../../trace/trace.js";
import { mean } from "../../util/statistics.js";
import type { StudyContext } from "../study-context.js";
import { type Analysis, cachedNumber } from "./cached-analysis.js";
import { measuredWithGroups } from "./image-groups.js";
import { type ArmResult, PairedArms } from "./paired-arms.js";

const overTime = z.array(cachedNumber);
const curveSchema = z.array(
  z.object({
    threshold: z.number(),
    meanStoppingTime: z.number(),
    accuracy: z.number(),
    meanMultiplyAdds: z.exactOptional(z.number()),
    meanMilliseconds: z.exactOptional(z.number()),
  }),
);
const groupSchema = z.object({
  examples: z.number(),
  /** [T] */
  accuracy: overTime,
  /** Where each image stops once the network is confident. */
  curve: curveSchema,
  /** Where every image is answered at the same timestep: the simplest rule, a point for each. */
  deadlines: curveSchema,
  /** [T] cross-entropy of the label against the belief, in nats. */
  crossEntropy: overTime,
  /** [T] mean of the largest probability. */
  confidence: overTime,
  /** [T] in 10 bins. */
  calibrationError: overTime,
  overthinking: z.object({ destructive: z.number(), wasteful: z.number(), oracleAccuracy: z.number() }),
  /** [T] of an image, up to the answer. */
  multiplyAdds: z.array(z.number()),
  /** [T] the same in measured time; empty where it was not measured. */
  milliseconds: z.array(z.number()),
});
/** `withoutGroup`: the same on all images but those of each group. */
const measuresSchema = groupSchema.extend({ withoutGroup: z.array(groupSchema) });
type GroupMeasures = z.output<typeof groupSchema>;

/** What a trace says of a model as an anytime predictor. */
export type AnytimeMeasures = z.output<typeof measuresSchema>;

/** One model of a finished run, measured on the run's test images. */
export interface AnytimeModel extends AnytimeMeasures {
  readonly model: string;
  readonly seed: number;
  /** Hash of the run. */
  readonly run: string;
  readonly spec: RunSpec;
  readonly trainingSeconds: number;
  readonly imagesPerSecond: number;
}

const ANALYSIS: Analysis<AnytimeMeasures> = {
  name: "anytime measures",
  module: import.meta.url,
  schema: measuresSchema,
};

/** [T] milliseconds to each answer of a model, by its name. */
export type Milliseconds = Readonly<Record<string, readonly number[]>>;

/** Every model that a finished run gives, measured on its test images, read off its traces. */
export async function anytimeModels(
  spec: RunSpec,
  context: StudyContext,
  milliseconds: Milliseconds = {},
): Promise<AnytimeModel[]> {
  const directory = context.run(spec);
  const { models, trainingSeconds, imagesPerSecond } = runSummary(directory);
  const common = { seed: spec.seed, run: readRun(directory).hash, spec, trainingSeconds, imagesPerSecond };
  return Promise.all(
    models.map(async ({ model }) => {
      const times = milliseconds[model];
      const measures = await context.cachedOf(
        spec,
        ANALYSIS,
        { model, milliseconds: times ?? null },
        async () => {
          context.onProgress(`reading ${directory}`);
          return measuredWithGroups(withMilliseconds(await testTrace(directory, model), times), measuresOf);
        },
      );
      return { model, ...common, ...measures };
    }),
  );
}

/** The models of trainings as arms, under the names that `armOf` gives them; those of one that diverged have no numbers. */
export async function anytimeArms(
  specs: readonly RunSpec[],
  context: StudyContext,
  armOf: (model: string, spec: RunSpec) => string,
  milliseconds?: Milliseconds,
): Promise<PairedArms<AnytimeModel>> {
  const results: ArmResult<AnytimeModel>[] = [];
  for (const spec of specs) {
    const { seed } = spec;
    if (divergedSummary(context.run(spec)) === null)
      for (const measured of await anytimeModels(spec, context, milliseconds))
        results.push({ arm: armOf(measured.model, spec), seed, measured });
    else
      for (const { model } of namedModels(spec))
        results.push({ arm: armOf(model, spec), seed, measured: "diverged" });
  }
  return PairedArms.grouped(results);
}

function withMilliseconds(trace: Trace, milliseconds: readonly number[] | undefined): Trace {
  if (milliseconds === undefined) return trace;
  return { ...trace, cost: { multiplyAdds: [...(trace.cost?.multiplyAdds ?? [])], milliseconds } };
}

function measuresOf(trace: Trace): GroupMeasures {
  const { examples } = trace;
  const accuracy = [...accuracyPerTimestep(trace)];
  const confidence = confidences(trace);
  return {
    examples,
    accuracy,
    curve: speedAccuracyCurve(trace),
    deadlines: speedAccuracyCurve(trace, { signal: "deadline" }),
    crossEntropy: [...negativeLogLikelihood(trace)],
    confidence: accuracy.map((_, t) => mean(confidence.subarray(t * examples, (t + 1) * examples))),
    calibrationError: [...expectedCalibrationError(trace)],
    overthinking: overthinking(trace),
    multiplyAdds: [...(trace.cost?.multiplyAdds ?? [])],
    milliseconds: [...(trace.cost?.milliseconds ?? [])],
  };
}

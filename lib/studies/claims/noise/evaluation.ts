import { z } from "zod";
import { limit } from "../../../datasets/split.js";
import { collectTrace } from "../../../experiments/runs/collect-trace.js";
import { readRun } from "../../../experiments/runs/run-record.js";
import type { RunSpec } from "../../../experiments/specs/spec.js";
import { openTrainedModel } from "../../../experiments/runs/trained-model.js";
import { runSummary } from "../../../experiments/runs/run-summary.js";
import { testImages } from "../../../experiments/runs/image-splits.js";
import { NOISE_NAMES, type NoiseName, type NoiseStrength } from "../../../noise/noises.js";
import type { NoiseSchedule } from "../../../noise/schedule.js";
import { accuracyPerTimestep } from "../../../trace/accuracy-per-timestep.js";
import { speedAccuracyCurve } from "../../../trace/speed-accuracy-curve.js";
import type { Analysis } from "../../evidence/cached-analysis.js";
import { IMAGE_GROUPS, measuredWithGroups } from "../../evidence/image-groups.js";
import type { StudyContext } from "../../study-context.js";

/** The schedules that the study compares. */
export const SCHEDULES = ["persistent", "transient"] as const satisfies readonly NoiseSchedule["kind"][];

/** What is done to the test images; "none" are the clean ones. */
export type NoiseCondition =
  | { readonly noise: "none"; readonly schedule: "none" }
  | { readonly noise: NoiseName; readonly schedule: (typeof SCHEDULES)[number] };

/** Clean images first, then every noise on every schedule. */
export const CONDITIONS: readonly NoiseCondition[] = [
  { noise: "none", schedule: "none" },
  ...SCHEDULES.flatMap((schedule) => NOISE_NAMES.map((noise) => ({ noise, schedule }))),
];

const accuracySchema = z.array(z.number());
const resultSchema = z.object({
  noise: z.string(),
  schedule: z.string(),
  /** [T] */
  accuracy: accuracySchema,
  /** [T] without each group of images. */
  accuracyWithoutGroup: z.array(accuracySchema),
  curve: z.array(z.object({ threshold: z.number(), meanStoppingTime: z.number(), accuracy: z.number() })),
});

/** How one model does under one condition. */
export type NoisyResult = z.output<typeof resultSchema>;

const ANALYSIS: Analysis<NoisyResult[]> = {
  name: "noise",
  module: import.meta.url,
  schema: z.array(resultSchema),
};

/** The results of a trained model under all conditions. */
export interface NoisyModel {
  readonly model: string;
  readonly seed: number;
  readonly classes: number;
  readonly results: readonly NoisyResult[];
  /** The same without each group of images, and so without the noise that was drawn for them. */
  readonly withoutGroup: readonly Pick<NoisyModel, "results">[];
}

export interface NoiseEvaluationSettings {
  /** Test images judged, as many of each class as possible and the same for all models; null for all. */
  readonly images: number | null;
  readonly noiseSeed: number;
  /** As strong as published unless told. */
  readonly strength?: NoiseStrength;
}

/** Shows each model of a finished run the test images under every condition, all models the same frames. */
export async function evaluateUnderNoise(
  spec: RunSpec,
  { images, noiseSeed, strength = "published" }: NoiseEvaluationSettings,
  context: StudyContext,
): Promise<NoisyModel[]> {
  const directory = context.run(spec);
  const { models, classNames } = runSummary(directory);
  const evaluated: NoisyModel[] = [];
  for (const { model } of models) {
    const key = { model, images, noiseSeed, strength, conditions: CONDITIONS };
    const results = await context.cachedOf(spec, ANALYSIS, key, async () => {
      context.onProgress(`${model} of ${readRun(directory).name}, seed ${spec.seed}, under noise`);
      const judged = testImages(spec, await context.datasetOf(spec));
      const set = images === null ? judged : limit(judged, images, noiseSeed);
      const trained = await openTrainedModel(directory, { model });
      try {
        return CONDITIONS.map((condition): NoisyResult => {
          const trace = collectTrace(trained.network, trained.state, set, {
            normalisation: trained.normalisation,
            disturbance: disturbanceOf(condition, noiseSeed, strength),
          });
          const curve = speedAccuracyCurve(trace).map(({ threshold, meanStoppingTime, accuracy }) => ({
            threshold,
            meanStoppingTime,
            accuracy,
          }));
          const { accuracy, withoutGroup } = measuredWithGroups(trace, (some) => ({
            accuracy: [...accuracyPerTimestep(some)],
          }));
          const accuracyWithoutGroup = withoutGroup.map((group) => group.accuracy);
          return { ...condition, accuracy, accuracyWithoutGroup, curve };
        });
      } finally {
        trained.dispose();
      }
    });
    const withoutGroup = Array.from({ length: IMAGE_GROUPS }, (_, group) => ({
      results: results.map((one) => ({ ...one, accuracy: one.accuracyWithoutGroup[group] ?? [] })),
    }));
    evaluated.push({ model, seed: spec.seed, classes: classNames.length, results, withoutGroup });
  }
  return evaluated;
}

function disturbanceOf(condition: NoiseCondition, seed: number, strength: NoiseStrength) {
  if (condition.noise === "none") return undefined;
  return { noise: condition.noise, schedule: { kind: condition.schedule }, seed, strength };
}

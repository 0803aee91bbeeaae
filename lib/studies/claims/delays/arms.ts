import { z } from "zod";
import { limit } from "../../../datasets/split.js";
import { openTrainedModel } from "../../../experiments/runs/trained-model.js";
import { testImages } from "../../../experiments/runs/image-splits.js";
import type { RunSpec } from "../../../experiments/specs/spec.js";
import { accuracyPerTimestep } from "../../../trace/accuracy-per-timestep.js";
import { type AnytimeModel, anytimeModels } from "../../evidence/anytime-models.js";
import type { Analysis } from "../../evidence/cached-analysis.js";
import { type Grouped, measuredWithGroups } from "../../evidence/image-groups.js";
import { type ArmResult, PairedArms } from "../../evidence/paired-arms.js";
import type { OverTime } from "../../evidence/quantities.js";
import type { StudyContext } from "../../study-context.js";
import {
  delayName,
  delaysOf,
  type DelaysSettings,
  longestOf,
  ONE_STEP,
  smallEpsilonArm,
  smoothing,
  type TrainedDelay,
  trainingsOfSeed,
} from "./trainings.js";

/** What came out, each with the delays or trainings as arms. */
export interface Delays {
  readonly settings: DelaysSettings;
  /** Arms: the delays that CascadedTD was trained with. */
  readonly trained: PairedArms<AnytimeModel>;
  /** Arms: the delays that the ordinary network's weights were run with. */
  readonly ordinary: PairedArms<OverTime>;
  /** Arms: the trainings that were run for long. */
  readonly long: PairedArms<OverTime>;
}

export const TRAINED_SHORT = "smoothing";
export const ORDINARY = "ordinary weights";
export const ORDINARY_AT_ONCE = "ordinary network";
/** Trained with the one-step delay, and run with smoothing, as the published evaluation does, or as trained. */
export const ONE_STEP_SMOOTHED = "one-step delay, smoothed";
export const ONE_STEP_AS_TRAINED = "one-step delay";
export const SMALL_SHORT = "small";
export const SMALL_LONG = "small, for all steps";

export async function delayArms(settings: DelaysSettings, context: StudyContext): Promise<Delays> {
  const trained: ArmResult<AnytimeModel>[] = [];
  const ordinary: ArmResult<Grouped<OverTime>>[] = [];
  const long: ArmResult<Grouped<OverTime>>[] = [];
  for (const seed of settings.seeds) {
    trained.push(...(await trainedResults(settings, seed, context)));
    ordinary.push(...(await ordinaryResults(settings, seed, context)));
    long.push(...(await longResults(settings, seed, context)));
  }
  return {
    settings,
    trained: PairedArms.grouped(trained),
    ordinary: PairedArms.grouped(ordinary),
    long: PairedArms.grouped(long),
  };
}

async function trainedResults(
  settings: DelaysSettings,
  seed: number,
  context: StudyContext,
): Promise<ArmResult<AnytimeModel>[]> {
  const { byDelay, smallEpsilon } = trainingsOfSeed(settings, seed, context.data);
  const arms = [
    ...delaysOf(settings).flatMap((delay, i) => {
      const spec = byDelay[i];
      return spec === undefined ? [] : [{ arm: delayName(delay), spec }];
    }),
    { arm: smallEpsilonArm(settings), spec: smallEpsilon },
  ];
  const results: ArmResult<AnytimeModel>[] = [];
  for (const { arm, spec } of arms)
    for (const measured of await anytimeModels(spec, context)) results.push({ arm, seed, measured });
  return results;
}

async function ordinaryResults(
  settings: DelaysSettings,
  seed: number,
  context: StudyContext,
): Promise<ArmResult<Grouped<OverTime>>[]> {
  const { ordinary } = trainingsOfSeed(settings, seed, context.data);
  const runs = delaysOf(settings).map((delay) => ({ arm: delayName(delay), spec: ordinary, as: { delay } }));
  return overTimeResults(runs, seed, context);
}

async function longResults(
  settings: DelaysSettings,
  seed: number,
  context: StudyContext,
): Promise<ArmResult<Grouped<OverTime>>[]> {
  const runs = trainingsOfSeed(settings, seed, context.data);
  const longest = smoothing(longestOf(settings.smoothings));
  const { timesteps, images } = settings.long;
  const runsOf = [
    [TRAINED_SHORT, runs.byDelay.at(-1) ?? runs.ordinary, longest],
    [ONE_STEP_SMOOTHED, runs.byDelay[0] ?? runs.ordinary, longest],
    [ONE_STEP_AS_TRAINED, runs.byDelay[0] ?? runs.ordinary, ONE_STEP],
    [ORDINARY, runs.ordinary, longest],
    [ORDINARY_AT_ONCE, runs.ordinary, smoothing(0)],
    [SMALL_SHORT, runs.smallShort, longest],
    [SMALL_LONG, runs.smallLong, longest],
  ] as const;
  return overTimeResults(
    runsOf.map(([arm, spec, delay]) => ({ arm, spec, as: { delay, timesteps, images } })),
    seed,
    context,
  );
}

interface RunOfArm {
  readonly arm: string;
  readonly spec: RunSpec;
  readonly as: RunAs;
}

async function overTimeResults(
  runs: readonly RunOfArm[],
  seed: number,
  context: StudyContext,
): Promise<ArmResult<Grouped<OverTime>>[]> {
  const results: ArmResult<Grouped<OverTime>>[] = [];
  for (const { arm, spec, as } of runs) {
    results.push({ arm, seed, measured: await runOverTime(spec, as, context) });
  }
  return results;
}

interface RunAs {
  readonly delay: TrainedDelay;
  /** Those of the training if left out. */
  readonly timesteps?: number;
  /** Test images, as many of each class as possible; all if left out. */
  readonly images?: number;
}

const overTimeSchema = z.object({ accuracy: z.array(z.number()) });

const ANALYSIS: Analysis<Grouped<OverTime>> = {
  name: "accuracy over time",
  module: import.meta.url,
  schema: overTimeSchema.extend({ withoutGroup: z.array(overTimeSchema) }),
};

/** Accuracy of a finished run's weights with another delay or for other timesteps. */
async function runOverTime(spec: RunSpec, as: RunAs, context: StudyContext): Promise<Grouped<OverTime>> {
  const directory = context.run(spec);
  return context.cachedOf(spec, ANALYSIS, { ...as }, async () => {
    const { delay, timesteps, images } = as;
    context.onProgress(`running ${directory} with ${delayName(delay)}`);
    const all = testImages(spec, await context.datasetOf(spec));
    const model = await openTrainedModel(directory, { delay, timesteps });
    try {
      const set = images === undefined ? all : limit(all, Math.min(images, all.labels.length), spec.seed);
      return measuredWithGroups(model.trace(set), (trace) => ({ accuracy: [...accuracyPerTimestep(trace)] }));
    } finally {
      model.dispose();
    }
  });
}

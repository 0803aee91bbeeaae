import { z } from "zod";
import { validationTrace } from "../../../experiments/analyses/metacognition.js";
import { divergedSummary } from "../../../experiments/runs/divergence.js";
import { runOutcome } from "../../../experiments/runs/run-images.js";
import { runSummary } from "../../../experiments/runs/run-summary.js";
import { testTrace } from "../../../experiments/runs/run-trace.js";
import { modelViews } from "../../../experiments/specs/model-views.js";
import { namedModels } from "../../../experiments/specs/names.js";
import type { RunSpec } from "../../../experiments/specs/spec.js";
import { parallelTimes } from "../../../models/parallel-time.js";
import { accuracyPerTimestep } from "../../../trace/accuracy-per-timestep.js";
import { depthEnsemble, networkFamily } from "../../../trace/ensembles.js";
import { fitGeometricEnsemble, withGeometricEnsemble } from "../../../trace/geometric-ensemble.js";
import { leaderboardRow } from "../../../trace/leaderboard.js";
import type { ValidationTrace } from "../../../trace/split.js";
import type { Trace } from "../../../trace/trace.js";
import { type Analysis, cachedNumber } from "../../evidence/cached-analysis.js";
import { measuredWithGroups } from "../../evidence/image-groups.js";
import type { ArmResult } from "../../evidence/paired-arms.js";
import type { StudyContext } from "../../study-context.js";
import { measuredMilliseconds } from "../../evidence/milliseconds.js";
import { armsOfSeed, type Composition, type FieldArm, type FieldSettings } from "./trainings.js";
import { subtrace } from "../../../trace/subtrace.js";

const overTime = z.array(cachedNumber);
const fieldSchema = z.object({
  classes: z.number(),
  /** [T] */
  accuracy: overTime,
  withoutGroup: z.array(z.object({ accuracy: overTime })),
  /** [T] of an image, up to the answer. */
  multiplyAdds: z.array(z.number()),
  /** [T] measured, up to the answer. */
  milliseconds: overTime,
  /** For each latency of a link: [T] when the answer is there on hardware with a unit a block, in multiply-adds of a unit. */
  parallelTimes: z.array(z.array(z.number())),
  /** What a leaderboard says of it. */
  measures: z.record(z.string(), cachedNumber),
});

/** One competitor of one seed, measured. */
export type FieldModel = z.output<typeof fieldSchema>;

const ANALYSIS: Analysis<FieldModel> = {
  name: "against the field",
  module: import.meta.url,
  schema: fieldSchema,
};

/** Of a family a single network is run, so there is nothing that an image could have been spared. */
const CHOSEN_BEFOREHAND = { oracle: NaN, overthinking: NaN };

/** Every competitor with every seed. */
export async function fieldResults(
  settings: FieldSettings,
  context: StudyContext,
): Promise<ArmResult<FieldModel>[]> {
  const bySeed = settings.seeds.map((seed) => ({ seed, arms: armsOfSeed(settings, seed, context.data) }));
  const times = await timesOfArms(
    bySeed.map(({ arms }) => arms),
    settings.timings,
    context,
  );
  const results: ArmResult<FieldModel>[] = [];
  for (const { seed, arms } of bySeed)
    for (const [place, one] of arms.entries())
      results.push({
        arm: one.arm,
        seed,
        measured: hasDiverged(one, context)
          ? "diverged"
          : await measuredArm(one, times[place] ?? [], settings, context),
      });
  return results;
}

function hasDiverged({ specs }: FieldArm, context: StudyContext): boolean {
  return specs.some((spec) => divergedSummary(context.run(spec)) !== null);
}

/** For each place among the arms, [T] milliseconds: what takes how long depends on shapes alone, so one seed will do. */
async function timesOfArms(
  bySeed: readonly (readonly FieldArm[])[],
  timings: number,
  context: StudyContext,
): Promise<number[][]> {
  const [first = []] = bySeed;
  const measurable = first.map((_, place) =>
    bySeed.map((arms) => arms[place]).find((one) => one !== undefined && !hasDiverged(one, context)),
  );
  const single = measurable.flatMap((one) => (one?.specs.length === 1 ? one.specs : []));
  const alone = single.length === 0 ? {} : await measuredMilliseconds(single, timings, context);
  const times: number[][] = [];
  for (const one of measurable) {
    if (one?.specs.length === 1) times.push([...(alone[modelOf(one.specs[0] as RunSpec)] ?? [])]);
    else times.push(one === undefined ? [] : await timesOfMembers(one, timings, context));
  }
  return times;
}

/** Members bear one name, and are measured one after the other. */
async function timesOfMembers(
  { specs, composition }: FieldArm,
  timings: number,
  context: StudyContext,
): Promise<number[]> {
  const times: number[] = [];
  for (const spec of specs) {
    const measured = await measuredMilliseconds([spec], timings, context);
    times.push(measured[modelOf(spec)]?.at(-1) ?? NaN);
  }
  return composition === "ensemble" ? cumulative(times, (a, b) => a + b) : times;
}

async function measuredArm(
  one: FieldArm,
  milliseconds: readonly number[],
  settings: FieldSettings,
  context: StudyContext,
): Promise<FieldModel> {
  const { linkLatencies } = settings;
  const outcomes = one.specs.map((spec) => runOutcome(context.run(spec)));
  const key = { outcomes, composition: one.composition, milliseconds, linkLatencies };
  return context.cached(ANALYSIS, key, async () => {
    context.onProgress(`measuring ${one.arm}, seed ${one.specs[0]?.seed ?? ""}`);
    const { test, heldOut } = await tracesOf(one, context);
    const canStop = one.composition !== "family";
    const row = leaderboardRow({ name: one.arm, test, ...(canStop && { heldOut }) }, []);
    return {
      classes: test.classes,
      ...measuredWithGroups(test, (some) => ({ accuracy: [...accuracyPerTimestep(some)] })),
      multiplyAdds: [...(test.cost?.multiplyAdds ?? [])],
      milliseconds: [...milliseconds],
      parallelTimes: linkLatencies.map((linkLatency) => parallelTimesOf(one, linkLatency, context)),
      measures: { ...row.measures, ...(canStop ? {} : CHOSEN_BEFOREHAND) },
    };
  });
}

/** The arm's answers to test and validation images. */
async function tracesOf(
  { specs, composition }: FieldArm,
  context: StudyContext,
): Promise<{ test: Trace; heldOut: ValidationTrace }> {
  const tests: Trace[] = [];
  const validations: ValidationTrace[] = [];
  for (const spec of specs) {
    const [directory, model] = [context.run(spec), modelOf(spec)];
    tests.push(await testTrace(directory, model));
    validations.push(await validationTrace(directory, spec, await context.datasetOf(spec), model));
  }
  const test = composed(tests, composition);
  const heldOut: ValidationTrace = { ...composed(validations, composition), split: "validation" };
  if (composition !== "geometric") return { test, heldOut };
  // Thresholds are chosen on validation images that the ensemble was not fitted to.
  const half = (remainder: number): ValidationTrace => ({
    ...subtrace(
      heldOut,
      [...Array(heldOut.examples).keys()].filter((n) => n % 2 === remainder),
    ),
    split: "validation",
  });
  const ensemble = fitGeometricEnsemble(half(0));
  return {
    test: withGeometricEnsemble(test, ensemble),
    heldOut: { ...withGeometricEnsemble(half(1), ensemble), split: "validation" },
  };
}

function composed(traces: readonly Trace[], composition: Composition): Trace {
  if (composition === "family") return networkFamily(traces);
  if (composition === "ensemble") return depthEnsemble(traces);
  return traces[0] as Trace;
}

/** The networks of an ensemble run side by side: its answer is there when the slowest so far is. */
function parallelTimesOf(
  { specs, composition }: FieldArm,
  linkLatency: number,
  context: StudyContext,
): number[] {
  const byNetwork = specs.map((spec) => {
    const { classNames, imageSize } = runSummary(context.run(spec));
    const [view] = modelViews(spec, classNames.length, imageSize);
    return view === undefined ? [] : parallelTimes(view.network, imageSize, { linkLatency });
  });
  if (specs.length === 1) return byNetwork[0] ?? [];
  const last = byNetwork.map((times) => times.at(-1) ?? NaN);
  return composition === "ensemble" ? cumulative(last, Math.max) : last;
}

function cumulative(values: readonly number[], join: (a: number, b: number) => number): number[] {
  let sum = values[0] ?? NaN;
  return values.map((value, i) => (sum = i === 0 ? value : join(sum, value)));
}

function modelOf(spec: RunSpec): string {
  return namedModels(spec)[0]?.model ?? "";
}

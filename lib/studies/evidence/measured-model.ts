import { join } from "node:path";
import { answerTimes } from "../../experiments/analyses/answer-times.js";
import { currentEnvironment } from "../../experiments/runs/environment.js";
import { readRun } from "../../experiments/runs/run-record.js";
import type { RunSpec } from "../../experiments/specs/spec.js";
import { openTrainedModel, type TrainedModel } from "../../experiments/runs/trained-model.js";
import { runSummary } from "../../experiments/runs/run-summary.js";
import { describeBackend } from "../../nn/backend/kernel-level.js";
import { accuracyPerTimestep } from "../../trace/accuracy-per-timestep.js";
import { areaUnderAccuracy } from "../../trace/area.js";
import { expectedCalibrationError } from "../../trace/calibration.js";
import { type Overthinking, overthinking } from "../../trace/overthinking.js";
import { speedAccuracyCurve, type SpeedAccuracyPoint } from "../../trace/speed-accuracy-curve.js";
import { readTrace } from "../../trace/trace-file.js";
import type { Trace } from "../../trace/trace.js";
import type { StudyContext } from "../study.js";

/** One model of one seed, measured. */
export interface MeasuredModel {
  readonly model: string;
  readonly seed: number;
  readonly run: string;
  readonly spec: RunSpec;
  readonly trainingSeconds: number;
  readonly imagesPerSecond: number;
  /** With the measured milliseconds. */
  readonly trace: Trace;
  /** [T] */
  readonly accuracy: readonly number[];
  readonly area: number;
  readonly curve: readonly SpeedAccuracyPoint[];
  /** [T] */
  readonly calibrationError: readonly number[];
  readonly overthinking: Overthinking;
}

/** [T] milliseconds to each answer of every model that the trainings give, by name, on this machine. */
export async function measuredMilliseconds(
  specs: readonly RunSpec[],
  timings: number,
  context: StudyContext,
): Promise<Readonly<Record<string, number[]>>> {
  const directories = specs.map((spec) => context.run(spec));
  const views = directories.flatMap((directory) =>
    runSummary(directory).models.map(({ model }) => ({ directory, model })),
  );
  const { cpu, cores, node } = currentEnvironment();
  const key = {
    analysis: "answer times",
    runs: directories.map((directory) => readRun(directory).hash),
    timings,
    machine: { cpu, cores, node, backend: describeBackend() },
  };
  return context.kept(key, async () => {
    context.onProgress("measuring the time to each timestep's answer");
    const models: TrainedModel[] = [];
    for (const { directory, model } of views) models.push(await openTrainedModel(directory, { model }));
    const times = answerTimes(models, timings);
    for (const model of models) model.dispose();
    return Object.fromEntries(models.map(({ model }, m) => [model, times[m] ?? []]));
  });
}

/** Every model that a finished run gives, judged on the run's test images. */
export async function measuredModels(
  spec: RunSpec,
  milliseconds: Readonly<Record<string, number[]>>,
  context: StudyContext,
): Promise<MeasuredModel[]> {
  const directory = context.run(spec);
  const { models, trainingSeconds, imagesPerSecond } = runSummary(directory);
  const run = readRun(directory).hash;
  return Promise.all(
    models.map(async ({ model, trace: file }) => {
      const stored = await readTrace(join(directory, file));
      const multiplyAdds = stored.cost?.multiplyAdds ?? [];
      const trace = { ...stored, cost: { multiplyAdds, milliseconds: milliseconds[model] ?? [] } };
      const accuracy = [...accuracyPerTimestep(trace)];
      return {
        model,
        seed: spec.seed,
        run,
        spec,
        trainingSeconds,
        imagesPerSecond,
        trace,
        accuracy,
        area: areaUnderAccuracy(accuracy),
        curve: speedAccuracyCurve(trace),
        calibrationError: [...expectedCalibrationError(trace)],
        overthinking: overthinking(trace),
      };
    }),
  );
}

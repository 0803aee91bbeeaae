import { join } from "node:path";
import type { ColumnTable } from "arquero";
import { loadDataset } from "../datasets/load.js";
import type { Dataset } from "../datasets/dataset.js";
import { accuracyPerTimestep, accuracyTable, asymptoticAccuracy } from "../trace/accuracy-per-timestep.js";
import { areaUnderAccuracy } from "../trace/area.js";
import { expectedCalibrationError } from "../trace/calibration.js";
import { overthinking } from "../trace/overthinking.js";
import { speedAccuracyTable } from "../trace/speed-accuracy-curve.js";
import { readTrace } from "../trace/trace-file.js";
import type { Trace } from "../trace/trace.js";
import { UserError } from "../util/errors.js";
import { type PresetName, PRESETS } from "./presets.js";
import { readRun } from "./run-record.js";
import { parseRunSpec, type RunSpec } from "./spec.js";
import { runSummary } from "./trained-model.js";
import { trainingRun } from "./training-run.js";

/** The trainings behind the speed-accuracy figure: CascadedTD, CascadedCE and SerialCE, SerialTD-MultiHead. */
const SPEED_ACCURACY_PRESETS: readonly PresetName[] = ["cascaded-td", "cascaded-ce", "serial-td-multihead"];

export interface SpeedAccuracyStudy {
  /** One row a model, seed and timestep. */
  readonly accuracy: ColumnTable;
  /** One row a model, seed and threshold, with the asymptotic accuracy beside. */
  readonly speedAccuracy: ColumnTable;
  readonly summary: StudySummary;
}

/** What stays of a study when its runs are deleted: small, and enough to say where each number is from. */
export interface StudySummary {
  readonly data: ReturnType<typeof runSummary>["data"];
  /** Where the last of the trainings ran. */
  readonly environment: unknown;
  readonly models: readonly ModelResult[];
}

export interface ModelResult {
  readonly model: string;
  readonly seed: number;
  /** Hash of the run whose weights these are. */
  readonly run: string;
  readonly epochs: number;
  readonly width: number;
  readonly trainingSeconds: number;
  readonly imagesPerSecond: number;
  /** [T] */
  readonly accuracy: readonly number[];
  /** Trapezoid area of accuracy over time, divided by T - 1. */
  readonly area: number;
  /** [T] expected calibration error in 10 bins. */
  readonly calibrationError: readonly number[];
  /** Share of the test images that were right at some earlier timestep and are wrong at the last. */
  readonly overthinking: number;
  /** [T] cumulative multiply-adds an image. */
  readonly multiplyAdds: readonly number[];
}

/**
 * Trains the models for each seed, or finds them trained, and puts their traces side by side. `change` turns a
 * preset's spec into the one to run (data, width, epochs); the result is checked as any spec is.
 */
export async function speedAccuracyStudy(
  change: (spec: RunSpec) => unknown,
  {
    root = join("data", "runs"),
    seeds = [0],
    quiet = false,
  }: { root?: string; seeds?: readonly number[]; quiet?: boolean } = {},
): Promise<SpeedAccuracyStudy> {
  const results: { trace: Trace; result: ModelResult }[] = [];
  let dataset: Dataset | undefined;
  let last: Pick<StudySummary, "data" | "environment"> | undefined;
  for (const seed of seeds) {
    for (const preset of SPEED_ACCURACY_PRESETS) {
      const spec = parseRunSpec(withSeed(change(PRESETS[preset]), seed), `preset ${preset}`);
      dataset ??= await loadDataset(spec.data);
      const directory = await trainingRun(spec, { root, dataset, quiet });
      last = { data: runSummary(directory).data, environment: readRun(directory).environments.at(-1) };
      results.push(...(await resultsOf(directory, spec)));
    }
  }
  if (last === undefined) throw new UserError("a study needs at least one seed");
  return {
    accuracy: concatenated(results.map(({ trace }) => accuracyTable(trace))),
    speedAccuracy: concatenated(results.map(({ trace }) => curveWithAsymptote(trace))),
    summary: { ...last, models: results.map(({ result }) => result) },
  };
}

function withSeed(spec: unknown, seed: number): unknown {
  return typeof spec === "object" ? { ...spec, seed } : spec;
}

async function resultsOf(directory: string, spec: RunSpec): Promise<{ trace: Trace; result: ModelResult }[]> {
  const { models, seed, trainingSeconds, imagesPerSecond } = runSummary(directory);
  return Promise.all(
    models.map(async ({ model, trace: file }) => {
      const trace = await readTrace(join(directory, file));
      const accuracy = [...accuracyPerTimestep(trace)];
      const result: ModelResult = {
        model,
        seed,
        run: readRun(directory).hash,
        epochs: spec.train.epochs,
        width: spec.network.width,
        trainingSeconds,
        imagesPerSecond,
        accuracy,
        area: areaUnderAccuracy(accuracy),
        calibrationError: [...expectedCalibrationError(trace)],
        overthinking: overthinking(trace).destructive,
        multiplyAdds: trace.cost?.multiplyAdds ?? [],
      };
      return { trace, result };
    }),
  );
}

function curveWithAsymptote(trace: Trace): ColumnTable {
  const asymptote = asymptoticAccuracy(trace);
  const curve = speedAccuracyTable(trace);
  return curve.assign({ asymptoticAccuracy: Array<number>(curve.numRows()).fill(asymptote) });
}

function concatenated(tables: readonly ColumnTable[]): ColumnTable {
  const [first, ...rest] = tables;
  if (first === undefined) throw new UserError("a study needs at least one model");
  return first.concat(rest);
}

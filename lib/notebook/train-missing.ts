import { existsSync } from "node:fs";
import { join } from "node:path";
import { sourceShape } from "../datasets/source-shape.js";
import { divergedSummary, divergenceText } from "../experiments/runs/divergence.js";
import { runDirectory } from "../experiments/runs/run-folder.js";
import { DONE } from "../experiments/runs/done-record.js";
import { RUNS } from "../experiments/runs/run-record.js";
import type { RunSpec } from "../experiments/specs/spec.js";
import { runSummary } from "../experiments/runs/run-summary.js";
import { testTrace } from "../experiments/runs/run-trace.js";
import { trainingRun } from "../experiments/runs/training-run.js";
import { measuredHours, readMeasuredSpeeds, workloadOf } from "../studies/replication/plan.js";
import type { Trace } from "../trace/trace.js";
import { UserError } from "../util/errors.js";
import { duration } from "../util/progress.js";
import { projectFolder } from "./project-folder.js";
import { notebookWatch } from "./watch-training.js";

/** What a notebook has to train before it goes on. */
export interface MissingTrainings {
  readonly trainings: number;
  readonly missing: number;
  /** Of the missing ones, rounded up to hundredths, by their multiply-adds at the speeds in data/results/benchmark.json. */
  readonly hours: number;
}

/** A finished training, and the names of the models that its weights give; none where it diverged. */
export interface TrainedRun {
  readonly directory: string;
  readonly spec: RunSpec;
  readonly models: readonly string[];
}

/** Says how many of these trainings are not finished under `root`, and how long they take. Trains nothing. */
export async function missingTrainings(specs: readonly RunSpec[], root = RUNS): Promise<MissingTrainings> {
  const speeds = readMeasuredSpeeds(join(projectFolder(), "data", "results", "benchmark.json"));
  const missing = missingOf(specs, root);
  let hours = 0;
  for (const spec of missing) {
    hours += measuredHours(spec, workloadOf(spec, await sourceShape(spec.data)), speeds);
  }
  return { trainings: specs.length, missing: missing.length, hours: Math.ceil(100 * hours) / 100 };
}

const missingOf = (specs: readonly RunSpec[], root: string): RunSpec[] =>
  specs.filter((spec) => !existsSync(join(runDirectory(root, spec), DONE)));

/** What may be trained, and where it is kept. */
export interface TrainMissingOptions {
  /** How long all of it may take; more is refused before anything is trained. */
  readonly hours: number;
  /** Folder of all runs. */
  readonly root?: string;
}

/**
 * Trains what is not trained yet, one after the other, with a word about each, and gives all runs in the order of
 * their specs. Throws a UserError with the plan, and trains nothing, where that would take longer than `hours`.
 */
export async function trainMissing(
  specs: readonly RunSpec[],
  { hours, root = RUNS }: TrainMissingOptions,
): Promise<TrainedRun[]> {
  const plan = await missingTrainings(specs, root);
  if (plan.hours > hours) throw new UserError(refusal(plan, hours));
  const watch = notebookWatch();
  for (const [i, spec] of missingOf(specs, root).entries()) {
    const begun = performance.now();
    const directory = await trainingRun(spec, {
      root,
      ...(watch === undefined ? { quiet: true } : { watch }),
    });
    const took = duration((performance.now() - begun) / 1000);
    console.log(`trained ${i + 1} of ${plan.missing} in ${took}: ${directory}`);
  }
  return specs.map((spec) => {
    const directory = runDirectory(root, spec);
    const diverged = divergedSummary(directory) !== null;
    const models = diverged ? [] : runSummary(directory).models.map(({ model }) => model);
    return { directory, spec, models };
  });
}

const refusal = ({ trainings, missing, hours }: MissingTrainings, allowed: number): string =>
  `${missing} of ${trainings} trainings are missing, which take about ${duration(3600 * hours)} here, and the parameter ` +
  `hours = ${allowed} allows less. To say yes, set hours = ${Math.ceil(10 * hours) / 10} in the cell of parameters and run the ` +
  "notebook again; or train them in a terminal by `npx cascade replicate`, one a core, and run the notebook when they are done";

/**
 * The trace of one model on its run's test images. Throws a UserError where no run gives that model with that seed,
 * and where its training diverged.
 */
export async function traceOf(
  runs: readonly TrainedRun[],
  { model, seed }: { readonly model: string; readonly seed: number },
): Promise<Trace> {
  const run = runs.find(({ models, spec }) => models.includes(model) && spec.seed === seed);
  if (run === undefined) throw new UserError(`${nothingOf(runs, model, seed)}${divergedRuns(runs)}`);
  return testTrace(run.directory, model);
}

const nothingOf = (runs: readonly TrainedRun[], model: string, seed: number): string => {
  const given = new Set(
    runs.flatMap(({ models, spec }) => models.map((name) => `${name} (seed ${spec.seed})`)),
  );
  return `no run gives ${model} of seed ${seed}; there are ${[...given].join(", ") || "none"}`;
};

const divergedRuns = (runs: readonly TrainedRun[]): string =>
  runs
    .flatMap(({ directory }) => divergedSummary(directory)?.diverged ?? [])
    .map((diverged) => `; one diverged: ${divergenceText(diverged)}`)
    .join("");

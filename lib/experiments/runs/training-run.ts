import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Dataset, ImageSet } from "../../datasets/dataset.js";
import { datasetHash, loadDataset } from "../../datasets/load.js";
import { channelStatistics } from "../../datasets/statistics.js";
import { outputIsBlindAtStart } from "../../nn/delay.js";
import { describeBackend, hasOwnKernels } from "../../nn/backend/kernel-level.js";
import { totalSteps, type TrainingPlan } from "../../train/training-steps.js";
import { disposeTrainingState } from "../../train/training-step.js";
import { UserError } from "../../util/errors.js";
import { clearLeftLock } from "../../util/folder-lock.js";
import { warnOnStandardError } from "../../util/warn.js";
import { Stopped, stoppable } from "../../util/stopping.js";
import { trainedNetwork } from "../specs/model-views.js";
import { runName } from "../specs/names.js";
import { runDirectory } from "./run-folder.js";
import { type RunSpec } from "../specs/spec.js";
import { type DivergedSummary, type Divergence, divergenceText } from "./divergence.js";
import { testImages, trainingImages } from "./image-splits.js";
import { runHome } from "./run-home.js";
import { noteImages } from "./run-images.js";
import { DONE } from "./done-record.js";
import { readRun, RUNS } from "./run-record.js";
import { openRun } from "./run-store.js";
import type { RunSummary } from "./run-summary.js";
import type { RunTask } from "./run-task.js";
import { storeModels } from "./store-models.js";
import { usualWatch, type WatchTraining } from "./training-watch.js";
import { type Trained, trainToEnd } from "./train-to-end.js";

export interface TrainingRunOptions {
  /** Folder of all runs. */
  readonly root?: string;
  readonly dataset?: Dataset;
  readonly warn?: (message: string) => void;
  /** Nobody watches. */
  readonly quiet?: boolean;
  /** What shows how it goes; in notebooks curves that grow, elsewhere a line, unless told. */
  readonly watch?: WatchTraining;
  /** Stops the training after the step at hand: its state is committed, and a Stopped thrown. */
  readonly signal?: AbortSignal;
  /** How long to wait for another process that writes the run, in milliseconds. */
  readonly patienceMs?: number;
}

/**
 * Trains what the spec says, or goes on where an earlier call was stopped, or finds it done; then runs every model
 * that the weights give over the test images and stores their traces. Returns the run's directory.
 *
 * A training that diverges ends there and is done too: `divergedSummary` tells it, and it is not trained again.
 */
export async function trainingRun(spec: RunSpec, options: TrainingRunOptions = {}): Promise<string> {
  const { root = RUNS, warn = warnOnStandardError, quiet = false, patienceMs = 0 } = options;
  const watch = quiet ? undefined : (options.watch ?? usualWatch);
  const finished = await finishedRun(root, spec, options.dataset, warn);
  if (finished !== undefined) return finished;
  // The data comes first: without it there is no run to be begun.
  const dataset = options.dataset ?? (await loadDataset(spec.data, { onReport: warn }));
  const home = await runHome(root, spec, dataset.hash);
  if (existsSync(join(home.directory, DONE))) {
    await settle(home.directory, warn);
    return home.directory;
  }
  return stoppable(options.signal, async (signal) => {
    if (signal.aborted) throw new Stopped(`${home.directory}: stopped before its first step`);
    const environment = { backend: describeBackend() };
    const name = runName(spec);
    const run = await openRun({ root, name, spec: home.spec, environment, warn, patienceMs });
    try {
      // Another process may have finished it while this one waited.
      if (!run.isDone()) await trainAndTrace({ run, spec, dataset, watch, warn, signal });
      return run.directory;
    } finally {
      await run.release();
    }
  });
}

/** The directory of a spec's run that is done already, checked; undefined where it is not. */
async function finishedRun(
  root: string,
  spec: RunSpec,
  dataset: Dataset | undefined,
  warn: (message: string) => void,
): Promise<string | undefined> {
  const directory = runDirectory(root, spec);
  if (!existsSync(join(directory, DONE))) return undefined;
  await settle(directory, warn);
  const hash = dataset?.hash ?? (await hashOfImages(spec, directory, warn));
  return hash === undefined ? directory : (await runHome(root, spec, hash)).directory;
}

/**
 * Holds the results of a finished run to its DONE.json, whatever became of its checkpoints, and removes the lock of a
 * process that was killed when all was written.
 */
async function settle(directory: string, warn: (message: string) => void): Promise<void> {
  await clearLeftLock(directory);
  const record = readRun(directory);
  await record.verifyResults();
  if (record.isUnverified())
    warn(`${directory} is of a former form, unverified: nothing tells whether its ${DONE} was edited`);
}

/** Hash of the images as they are now; undefined, with a word about it, where they are not there any more. */
async function hashOfImages(
  spec: RunSpec,
  directory: string,
  warn: (message: string) => void,
): Promise<string | undefined> {
  try {
    return await datasetHash(spec.data, { onReport: warn });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    warn(`${directory} is finished; its images cannot be compared with those that it saw: ${error.message}`);
    return undefined;
  }
}

async function trainAndTrace(task: RunTask): Promise<void> {
  const { run, spec, dataset, warn } = task;
  await noteImages(run, dataset, spec.data);
  const { train, validation } = trainingImages(spec, dataset);
  const test = testImages(spec, dataset);
  const plan = trainingPlan(spec, train);
  const trained = await trainToEnd(task, plan, validation);
  let outcome: RunSummary["models"] | Divergence;
  try {
    outcome = trained.divergence ?? (await storeModels(task, plan, trained, test));
  } finally {
    disposeTrainingState(trained.state);
  }
  const { name, hash } = dataset;
  const data = { name, hash, train: train.labels.length, test: test.labels.length };
  if (Array.isArray(outcome)) return run.finish(summaryOf(plan, data, trained, outcome));
  const text = divergenceText(outcome);
  warn(`${run.directory} diverged: ${text}`);
  run.appendMetrics({ step: outcome.step, epoch: outcome.epoch, diverged: text });
  return run.finish({ ...divergedSummaryOf(spec, trained, outcome), data });
}

/** A training as the spec describes it; a UserError where it cannot be carried out. */
function trainingPlan(spec: RunSpec, train: ImageSet): TrainingPlan {
  if (spec.train.precision === "mixed" && !hasOwnKernels) {
    throw new UserError(
      'mixed precision needs the project\'s own kernels, which are not compiled here: leave train.precision out, or see "npm run doctor"',
    );
  }
  const network = trainedNetwork(spec, train.classNames.length, train.size.height);
  const { lambda, weights, mean, exitWeights } = spec.loss;
  const firstTimestep = network.kind === "cascade" && outputIsBlindAtStart(network.stemDelay) ? 1 : 0;
  const plan: TrainingPlan = {
    network,
    set: train,
    normalisation: channelStatistics(train.images),
    seed: spec.seed,
    loss: { lambda, firstTimestep, mean, weights: weights ?? undefined },
    exitWeights,
    ...spec.train,
  };
  if (totalSteps(plan) > 0) return plan;
  throw new UserError(
    `${train.labels.length} training images do not fill one batch of ${plan.batchSize}; lower train.batchSize`,
  );
}

function summaryOf(
  plan: TrainingPlan,
  data: RunSummary["data"],
  { seconds }: Trained,
  models: RunSummary["models"],
): RunSummary {
  const { seed, normalisation, set, batchSize } = plan;
  const steps = totalSteps(plan);
  return {
    seed,
    data,
    normalisation: { mean: [...normalisation.mean], std: [...normalisation.std] },
    classNames: [...set.classNames],
    imageSize: set.size.height,
    steps,
    trainingSeconds: Math.round(seconds),
    imagesPerSecond: Math.round((steps * batchSize) / seconds),
    models,
  };
}

function divergedSummaryOf({ seed }: RunSpec, { seconds }: Trained, diverged: Divergence): DivergedSummary {
  return { seed, steps: diverged.step, trainingSeconds: Math.round(seconds), diverged };
}

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Dataset, ImageSet } from "../../datasets/dataset.js";
import { datasetHash, loadDataset } from "../../datasets/load.js";
import { splitByClass } from "../../datasets/split-by-class.js";
import { limit, stratifiedSplit, subset } from "../../datasets/split.js";
import { channelStatistics } from "../../datasets/statistics.js";
import type { CascadedNetwork } from "../../models/cascaded-network.js";
import { retimedState } from "../../models/retime.js";
import { disposeState, initialState, stateValues } from "../../models/state.js";
import { outputIsBlindAtStart } from "../../nn/delay.js";
import { describeBackend, hasOwnKernels } from "../../nn/backend/kernel-level.js";
import { accuracyPerTimestep } from "../../trace/accuracy-per-timestep.js";
import { areaUnderAccuracy } from "../../trace/area.js";
import { writeTrace } from "../../trace/trace-file.js";
import { storedModel, restoredTrainingState, storedTrainingState } from "../../train/checkpoint.js";
import { stepsPerEpoch, type TrainingPlan, trainingSteps } from "../../train/training-steps.js";
import { disposeTrainingState, type TrainingState } from "../../train/training-step.js";
import { UserError } from "../../util/errors.js";
import { startProgress } from "../../util/progress.js";
import { encodeSafetensors } from "../../util/safetensors.js";
import { nextTurn, Stopped, stoppable } from "../../util/stopping.js";
import { collectTrace } from "./collect-trace.js";
import {
  type DivergedSummary,
  type Divergence,
  divergenceText,
  notFinite,
  notFiniteState,
} from "./divergence.js";
import { runNameOf } from "../specs/presets.js";
import { runDirectory, runHome } from "./run-home.js";
import { noteImages } from "./run-images.js";
import { DONE, readRun } from "./run-record.js";
import { MODEL_FILE } from "./model-file.js";
import { openRun, type Run } from "./run-store.js";
import type { RunSummary } from "./trained-model.js";
import { lastRecordedLoss, recordValidation, shownFields, stepRecord } from "./training-metrics.js";
import { modelViews, type RunSpec, trainedNetwork } from "../specs/spec.js";

export interface RunOptions {
  /** Folder of all runs. */
  readonly root?: string;
  readonly dataset?: Dataset;
  readonly warn?: (message: string) => void;
  readonly quiet?: boolean;
  /** Stops the training after the step at hand: its state is committed, and a Stopped thrown. */
  readonly signal?: AbortSignal;
}

const SECONDS_BETWEEN_CHECKPOINTS = 60;
const STEPS_BETWEEN_METRICS = 10;

/**
 * Trains what the spec says, or goes on where an earlier call was stopped, or finds it done; then runs every model
 * that the weights give over the test images and stores their traces. Returns the run's directory.
 *
 * A training that diverges ends there and is done too: `divergedSummary` tells it, and it is not trained again.
 */
export async function trainingRun(spec: RunSpec, options: RunOptions = {}): Promise<string> {
  const { root = join("data", "runs"), warn = warnOnStandardError, quiet = false } = options;
  const directory = runDirectory(root, spec);
  if (existsSync(join(directory, DONE))) {
    await readRun(directory).verify();
    const hash = options.dataset?.hash ?? (await hashOfImages(spec, directory, warn));
    return hash === undefined ? directory : (await runHome(root, spec, hash)).directory;
  }
  // The data comes first: without it there is no run to be begun.
  const dataset = options.dataset ?? (await loadDataset(spec.data, { onReport: warn }));
  const home = await runHome(root, spec, dataset.hash);
  if (existsSync(join(home.directory, DONE))) {
    await readRun(home.directory).verify();
    return home.directory;
  }
  return stoppable(options.signal, async (signal) => {
    if (signal.aborted) throw new Stopped(`${home.directory}: stopped before its first step`);
    const environment = { backend: describeBackend() };
    const run = await openRun({ root, name: runNameOf(spec), spec: home.spec, environment, warn });
    try {
      // Another process may have finished it while this one waited.
      if (!run.isDone()) {
        await noteImages(run, dataset, spec.data);
        await trainAndTrace(run, spec, dataset, quiet, warn, signal);
      }
      return run.directory;
    } finally {
      await run.release();
    }
  });
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

async function trainAndTrace(
  run: Run,
  spec: RunSpec,
  dataset: Dataset,
  quiet: boolean,
  warn: (message: string) => void,
  signal: AbortSignal,
): Promise<void> {
  if (spec.train.precision === "mixed" && !hasOwnKernels) {
    throw new UserError(
      'mixed precision needs the project\'s own kernels, which are not compiled here: leave train.precision out, or see "npm run doctor"',
    );
  }
  const { train, validation } = trainingImages(spec, dataset);
  const test = testImages(spec, dataset);
  const network = trainedNetwork(spec, train.classNames.length);
  const normalisation = channelStatistics(train.images);
  const plan: TrainingPlan = {
    network,
    set: train,
    normalisation,
    seed: spec.seed,
    loss: lossSettings(spec, network),
    exitWeights: spec.loss.exitWeights,
    ...spec.train,
  };
  const total = stepsPerEpoch(plan) * plan.epochs;
  if (total === 0) {
    throw new UserError(
      `${train.labels.length} training images do not fill one batch of ${plan.batchSize}; lower train.batchSize`,
    );
  }
  const trained = await trainToEnd(run, spec, plan, validation, total, quiet, warn, signal);
  const { state, seconds } = trained;
  let models: RunSummary["models"] | Divergence;
  try {
    models = trained.divergence ?? (await storeModels(run, spec, plan, trained, test, total, signal));
  } finally {
    disposeTrainingState(state);
  }
  const data = {
    name: dataset.name,
    hash: dataset.hash,
    train: train.labels.length,
    test: test.labels.length,
  };
  const trainingSeconds = Math.round(seconds);
  if (!Array.isArray(models)) {
    warn(`${run.directory} diverged: ${divergenceText(models)}`);
    run.appendMetrics({ step: models.step, epoch: models.epoch, diverged: divergenceText(models) });
    const summary: DivergedSummary = {
      seed: spec.seed,
      steps: models.step,
      trainingSeconds,
      diverged: models,
    };
    await run.finish({ ...summary, data });
    return;
  }
  const summary: RunSummary = {
    seed: spec.seed,
    data,
    normalisation: { mean: [...normalisation.mean], std: [...normalisation.std] },
    classNames: [...train.classNames],
    imageSize: train.size.height,
    steps: total,
    trainingSeconds,
    imagesPerSecond: Math.round((total * plan.batchSize) / seconds),
    models,
  };
  await run.finish(summary);
}

/** Writes the weights and every model's trace of the test images; a divergence where logits are not finite. */
async function storeModels(
  run: Run,
  spec: RunSpec,
  { normalisation, epochs }: TrainingPlan,
  { state, lastLoss }: Trained,
  test: ImageSet,
  step: number,
  signal: AbortSignal,
): Promise<RunSummary["models"] | Divergence> {
  await run.writeArtifact(
    MODEL_FILE,
    encodeSafetensors(storedModel(state), { format: "anytime-cascade 1", layout: "HWIO" }),
  );
  const values = stateValues(state);
  const models: RunSummary["models"] = [];
  for (const { model, network } of modelViews(spec, test.classNames.length)) {
    await nextTurn();
    if (signal.aborted) throw stopped(run, "after its last step");
    const viewState = retimedState(network, values);
    const trace = collectTrace(network, viewState, test, { normalisation, model, run: run.hash });
    disposeState(viewState);
    const found = notFinite("logits", trace.logits);
    if (found !== null) return { ...found, step, epoch: epochs - 1, lastLoss };
    const file = `trace-${model}.arrow`;
    await writeTrace(join(run.directory, file), trace);
    const accuracy = [...accuracyPerTimestep(trace)];
    models.push({ model, trace: file, accuracy, area: areaUnderAccuracy(accuracy) });
  }
  return models;
}

/** The images a spec trains on and those that it holds out, which training never sees. */
export function trainingImages(
  spec: RunSpec,
  dataset: Dataset,
): { readonly train: ImageSet; readonly validation: ImageSet } {
  const known = knownImages(spec, dataset.train);
  const all = spec.trainImages === null ? known : limit(known, spec.trainImages, spec.seed);
  const split = stratifiedSplit(all.labels, spec.validation, spec.seed);
  if (all.size.height !== all.size.width) {
    throw new UserError(
      `the images are ${all.size.height} x ${all.size.width} pixels; the networks here take square images, so give data.size`,
    );
  }
  return { train: subset(all, split.train), validation: subset(all, split.validation) };
}

/** The images a spec tests on. */
export function testImages(spec: RunSpec, dataset: Dataset): ImageSet {
  const known = knownImages(spec, dataset.test);
  return spec.testImages === null ? known : limit(known, spec.testImages, spec.seed);
}

/** The images whose classes the spec does not hold out. */
function knownImages({ heldOutClasses }: RunSpec, set: ImageSet): ImageSet {
  return heldOutClasses === undefined ? set : splitByClass(set, heldOutClasses).others;
}

function lossSettings(spec: RunSpec, network: CascadedNetwork): TrainingPlan["loss"] {
  const { lambda, weights, mean } = spec.loss;
  const firstTimestep = outputIsBlindAtStart(network.stemDelay) ? 1 : 0;
  return { lambda, firstTimestep, mean, ...(weights === null ? {} : { weights }) };
}

interface Trained {
  readonly state: TrainingState;
  readonly seconds: number;
  /** The last finite one; null where there was none. */
  readonly lastLoss: number | null;
  /** Where training stopped because something was not finite; null where it came to its end. */
  readonly divergence: Divergence | null;
}

async function trainToEnd(
  run: Run,
  spec: RunSpec,
  plan: TrainingPlan,
  validation: ImageSet,
  total: number,
  quiet: boolean,
  warn: (message: string) => void,
  signal: AbortSignal,
): Promise<Trained> {
  const { network } = plan;
  const checkpoint = await run.latestCheckpoint();
  let state: TrainingState =
    checkpoint === null
      ? { ...initialState(network, spec.seed), velocities: new Map() }
      : restoredTrainingState(
          network,
          checkpoint.tensors,
          `checkpoint ${checkpoint.step} of ${run.directory}`,
        );
  const done = checkpoint?.step ?? 0;
  let seconds = Number(checkpoint?.metadata["seconds"] ?? 0);
  await run.truncateMetrics(checkpoint === null ? -1 : done);
  if (checkpoint !== null) warn(`${run.directory}: goes on after step ${done} of ${total}`);
  const bar = quiet ? undefined : startProgress({ label: run.name, total, initial: done });
  let lastLoss = lastRecordedLoss(run);
  let divergence: Divergence | null = null;
  let begun = performance.now();
  let saved = begun;
  for (const report of trainingSteps(plan, state, done)) {
    state = report.state;
    let found = notFinite("loss", [report.loss.loss]);
    if (found === null) lastLoss = report.loss.loss;
    const now = performance.now();
    if (found === null && (report.step % STEPS_BETWEEN_METRICS === 0 || report.endsEpoch)) {
      const record = stepRecord(report, plan);
      bar?.update(report.step, shownFields(record));
      run.appendMetrics(record);
    }
    const isDue = report.endsEpoch || signal.aborted || now - saved > 1000 * SECONDS_BETWEEN_CHECKPOINTS;
    if (found === null && isDue) {
      const stored = storedTrainingState(state);
      found = notFiniteState(stored);
      if (found === null && report.endsEpoch) found = recordValidation(run, plan, report, validation);
      if (found === null) {
        seconds += (performance.now() - begun) / 1000;
        await run.saveCheckpoint(report.step, stored, { seconds: String(seconds) });
        saved = begun = performance.now();
      }
    }
    if (found !== null) {
      seconds += (performance.now() - begun) / 1000;
      divergence = { ...found, step: report.step, epoch: report.epoch, lastLoss };
      break;
    }
    if (signal.aborted) {
      bar?.stop();
      disposeTrainingState(state);
      throw stopped(run, `after step ${report.step} of ${total}`);
    }
    await nextTurn();
  }
  bar?.stop();
  return { state, seconds, lastLoss, divergence };
}

const stopped = ({ directory }: Run, place: string): Stopped =>
  new Stopped(`${directory}: stopped ${place}; its state is saved, and the same call goes on from there`);

function warnOnStandardError(message: string): void {
  process.stderr.write(`${message}\n`);
}

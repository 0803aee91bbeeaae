import type { ImageSet } from "../../datasets/dataset.js";
import { initialState } from "../../models/state.js";
import { restoredTrainingState, storedTrainingState } from "../../train/checkpoint.js";
import { type StepReport, totalSteps, type TrainingPlan, trainingSteps } from "../../train/training-steps.js";
import { disposeTrainingState, type TrainingState } from "../../train/training-step.js";
import { type Progress, startProgress } from "../../util/progress.js";
import { UserError } from "../../util/errors.js";
import { nextTurn } from "../../util/stopping.js";
import { type Divergence, type NotFinite, notFinite, notFiniteState } from "./divergence.js";
import { type RunTask, stopped } from "./run-task.js";
import { lastRecordedLoss, recordValidation, shownFields, stepRecord } from "./training-metrics.js";

const SECONDS_BETWEEN_CHECKPOINTS = 60;
const STEPS_BETWEEN_METRICS = 10;

/** How a training ended. */
export interface Trained {
  readonly state: TrainingState;
  /** Of training, without the time that it took to save checkpoints. */
  readonly seconds: number;
  /** The last finite one; null where there was none. */
  readonly lastLoss: number | null;
  /** Where training stopped because something was not finite; null where it came to its end. */
  readonly divergence: Divergence | null;
}

/** Trains from the newest checkpoint, or from the start, to the end, to a divergence, or until it is asked to stop. */
export async function trainToEnd(task: RunTask, plan: TrainingPlan, validation: ImageSet): Promise<Trained> {
  const { run, quiet, signal } = task;
  const total = totalSteps(plan);
  const start = await startingPoint(task, plan);
  const bar = quiet ? undefined : startProgress({ label: run.name, total, initial: start.step });
  const log = new StepLog(task, plan, validation, bar, start.seconds);
  let { state } = start;
  let divergence: Divergence | null = null;
  for (const report of trainingSteps(plan, state, start.step)) {
    ({ state } = report);
    const found = await log.record(report);
    if (found !== null) {
      divergence = { ...found, step: report.step, epoch: report.epoch, lastLoss: log.lastLoss };
      break;
    }
    if (signal.aborted) {
      bar?.stop();
      disposeTrainingState(state);
      throw stopped(task, `after step ${report.step} of ${total}`);
    }
    await nextTurn();
  }
  bar?.stop();
  return { state, seconds: log.seconds, lastLoss: log.lastLoss, divergence };
}

/** The state that a training goes on from, after how many steps and seconds; the metrics of later steps are dropped. */
async function startingPoint(
  { run, spec, warn }: RunTask,
  plan: TrainingPlan,
): Promise<{ state: TrainingState; step: number; seconds: number }> {
  const checkpoint = await run.latestCheckpoint();
  await run.truncateMetrics(checkpoint?.step ?? -1);
  if (checkpoint === null) {
    const state = { ...initialState(plan.network, spec.seed), velocities: new Map() };
    return { state, step: 0, seconds: 0 };
  }
  const { step, tensors, metadata } = checkpoint;
  if (step > totalSteps(plan))
    throw new UserError(
      `${run.directory} has a checkpoint of step ${step}, but the whole training has ${totalSteps(plan)}; delete that checkpoint, or the folder to run it anew`,
    );
  const state = restoredTrainingState(plan.network, tensors, `checkpoint ${step} of ${run.directory}`);
  warn(`${run.directory}: goes on after step ${step} of ${totalSteps(plan)}`);
  return { state, step, seconds: Number(metadata["seconds"] ?? 0) };
}

/** Writes what the steps of a training give into its run: metrics, accuracy on held-out images, checkpoints. */
class StepLog {
  /** The last finite one; null where there was none. */
  lastLoss: number | null;
  /** Seconds of training until the last checkpoint, which was saved at `#saved`. */
  #seconds: number;
  #saved = performance.now();

  constructor(
    private readonly task: RunTask,
    private readonly plan: TrainingPlan,
    private readonly validation: ImageSet,
    private readonly bar: Progress | undefined,
    seconds: number,
  ) {
    this.lastLoss = lastRecordedLoss(task.run);
    this.#seconds = seconds;
  }

  get seconds(): number {
    return this.#seconds + (performance.now() - this.#saved) / 1000;
  }

  /** Records a step; gives what is not finite, of which nothing is stored. */
  async record(report: StepReport): Promise<NotFinite | null> {
    const found = notFinite("loss", [report.loss.loss]);
    if (found !== null) return found;
    this.lastLoss = report.loss.loss;
    if (report.step % STEPS_BETWEEN_METRICS === 0 || report.endsEpoch) this.#recordMetrics(report);
    const isOld = performance.now() - this.#saved > 1000 * SECONDS_BETWEEN_CHECKPOINTS;
    return report.endsEpoch || this.task.signal.aborted || isOld ? this.#saveCheckpoint(report) : null;
  }

  #recordMetrics(report: StepReport): void {
    const record = stepRecord(report, this.plan);
    this.bar?.update(report.step, shownFields(record));
    this.task.run.appendMetrics(record);
  }

  async #saveCheckpoint(report: StepReport): Promise<NotFinite | null> {
    const { run } = this.task;
    const stored = storedTrainingState(report.state);
    const validated = (): NotFinite | null =>
      report.endsEpoch ? recordValidation(run, this.plan, report, this.validation) : null;
    const found = notFiniteState(stored) ?? validated();
    if (found !== null) return found;
    this.#seconds = this.seconds;
    await run.saveCheckpoint(report.step, stored, { seconds: String(this.#seconds) });
    this.#saved = performance.now();
    return null;
  }
}

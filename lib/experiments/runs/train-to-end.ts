import type { ImageSet } from "../../datasets/dataset.js";
import { initialState } from "../../models/state.js";
import { restoredTrainingState, storedTrainingState } from "../../train/checkpoint.js";
import { type StepReport, totalSteps, type TrainingPlan, trainingSteps } from "../../train/training-steps.js";
import { disposeTrainingState, type TrainingState } from "../../train/training-step.js";
import { UserError } from "../../util/errors.js";
import { nextTurn } from "../../util/stopping.js";
import { type Divergence, type NotFinite, notFinite, notFiniteState } from "./divergence.js";
import { type RunTask, stopped } from "./run-task.js";
import type { TrainingView } from "./training-watch.js";
import { lastRecordedLoss, recordValidation, stepRecord, stepRecords } from "./training-metrics.js";

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
  const { run, watch } = task;
  const start = await startingPoint(task, plan);
  const records = stepRecords(run.readMetrics());
  const view = watch?.({ name: run.name, initial: start.step, total: totalSteps(plan), records });
  try {
    return await trainFrom(start, task, plan, new StepLog(task, plan, validation, view, start.seconds));
  } finally {
    view?.stop();
  }
}

/** Where a training goes on: its state, after how many steps and seconds. */
interface StartingPoint {
  readonly state: TrainingState;
  readonly step: number;
  readonly seconds: number;
}

async function trainFrom(
  start: StartingPoint,
  task: RunTask,
  plan: TrainingPlan,
  log: StepLog,
): Promise<Trained> {
  let { state } = start;
  let divergence: Divergence | null = null;
  for (const report of trainingSteps(plan, state, start.step)) {
    ({ state } = report);
    const found = await log.record(report);
    if (found !== null) {
      divergence = { ...found, step: report.step, epoch: report.epoch, lastLoss: log.lastLoss };
      break;
    }
    if (task.signal.aborted) {
      disposeTrainingState(state);
      throw stopped(task, `after step ${report.step} of ${totalSteps(plan)}`);
    }
    await nextTurn();
  }
  return { state, seconds: log.seconds, lastLoss: log.lastLoss, divergence };
}

/** The newest checkpoint, or the start; the metrics of later steps are dropped. */
async function startingPoint({ run, spec, warn }: RunTask, plan: TrainingPlan): Promise<StartingPoint> {
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
    private readonly view: TrainingView | undefined,
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
    this.view?.update(record);
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

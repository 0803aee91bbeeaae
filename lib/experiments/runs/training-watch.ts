import { startProgress } from "../../util/progress.js";
import { type StepRecord, shownFields } from "./training-metrics.js";

/** A training that begins, or goes on after `initial` of its `total` steps. */
export interface WatchedTraining {
  readonly name: string;
  readonly initial: number;
  readonly total: number;
  /** What was recorded of its earlier steps. */
  readonly records: readonly StepRecord[];
}

/** Shows how a training goes. */
export interface TrainingView {
  /** A step was recorded, about every tenth. */
  update(record: StepRecord): void;
  /** No step follows: the training is at its end, or was stopped. */
  stop(): void;
}

/** Opens a view of a training; called as it begins. */
export type WatchTraining = (training: WatchedTraining) => TrainingView;

/** Under this name a notebook's room (lib/notebook/watch-training.ts) leaves the view of trainings there. */
const WATCH = Symbol.for("anytime-cascade.watch");

/** As a notebook shows trainings, where this runs in one; else a line on standard error. */
export const usualWatch: WatchTraining = (training) => {
  const { [WATCH]: ofNotebook } = globalThis as { readonly [WATCH]?: () => WatchTraining | undefined };
  return (ofNotebook?.() ?? watchByLine)(training);
};

const watchByLine: WatchTraining = ({ name, total, initial }) => {
  const bar = startProgress({ label: name, total, initial });
  return {
    update: (record) => {
      bar.update(record.step, shownFields(record));
    },
    stop: () => {
      bar.stop();
    },
  };
};

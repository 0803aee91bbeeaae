import type { Dataset } from "../../datasets/dataset.js";
import { Stopped } from "../../util/stopping.js";
import type { RunSpec } from "../specs/spec.js";
import type { Run } from "./run-store.js";
import type { WatchTraining } from "./training-watch.js";

/** A run that is being carried out: where it writes, what it trains on, how it is watched and stopped. */
export interface RunTask {
  readonly run: Run;
  readonly spec: RunSpec;
  readonly dataset: Dataset;
  /** Undefined where nobody watches. */
  readonly watch: WatchTraining | undefined;
  readonly warn: (message: string) => void;
  readonly signal: AbortSignal;
}

/** What a task throws at the next safe place after its signal. */
export function stopped({ run }: RunTask, place: string): Stopped {
  return new Stopped(
    `${run.directory}: stopped ${place}; its state is saved, and the same call goes on from there`,
  );
}

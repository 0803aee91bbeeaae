import { basename, join } from "node:path";
import { writeFileAtomic } from "../../util/files.js";
import type { MetricsRecord, RunRecord } from "../runs/run-record.js";
import { stepRecords } from "../runs/training-metrics.js";
import { eventFile, type ScalarEvent } from "./event-file.js";

/**
 * Writes what was recorded of runs as TensorBoard's event files, a folder for each run below `folder`: loss, learning
 * rate, and accuracy of the batch and on validation images at each timestep, by step. `tensorboard --logdir <folder>`
 * shows them. Writing again replaces them. Gives the number of runs that had something to show.
 */
export async function writeTensorBoard(runs: readonly RunRecord[], folder: string): Promise<number> {
  let written = 0;
  for (const run of runs) {
    const events = scalarsOf(run.readMetrics());
    if (events.length === 0) continue;
    const { done } = run;
    const seconds = done === null ? 0 : Math.floor(Date.parse(done.finishedAt) / 1000);
    const path = join(folder, basename(run.directory), `events.out.tfevents.${seconds}.cascade`);
    await writeFileAtomic(path, eventFile(events, seconds));
    written++;
  }
  return written;
}

/** Every number of the metrics under the name that TensorBoard groups it by. */
export function scalarsOf(metrics: readonly MetricsRecord[]): ScalarEvent[] {
  const perTimestep = (tag: string, step: number, values: readonly number[]): ScalarEvent[] =>
    values.map((value, t) => ({ tag: `${tag}/t${t}`, step, value }));
  const steps = stepRecords(metrics).flatMap(({ step, loss, learningRate, accuracy }) => [
    { tag: "loss", step, value: loss },
    { tag: "learning rate", step, value: learningRate },
    ...perTimestep("batch accuracy", step, accuracy),
  ]);
  const validated = metrics.flatMap(({ step, validationAccuracy }) =>
    Array.isArray(validationAccuracy)
      ? perTimestep(
          "validation accuracy",
          step,
          validationAccuracy.filter((value) => typeof value === "number"),
        )
      : [],
  );
  return [...steps, ...validated];
}

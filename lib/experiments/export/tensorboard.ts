import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileError, removeFile, writeFileAtomic } from "../../util/files.js";
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
    const ofRun = join(folder, basename(run.directory));
    const name = `events.out.tfevents.${seconds}.cascade`;
    await writeFileAtomic(join(ofRun, name), eventFile(events, seconds));
    await removeOthers(ofRun, name);
    written++;
  }
  return written;
}

/** Removes what was written before the run was finished, under another time: TensorBoard would read both. */
async function removeOthers(folder: string, kept: string): Promise<void> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw fileError(error, "read", folder);
  });
  for (const name of names)
    if (name !== kept && /^events\.out\.tfevents\.\d+\.cascade$/.test(name))
      await removeFile(join(folder, name));
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

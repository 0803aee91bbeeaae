import { warnOnStandardError } from "../util/warn.js";
import { usesGpu } from "../nn/backend/native-operation.js";
import { checkImages } from "../studies/replication/check-images.js";
import type { Training } from "../studies/replication/replication.js";
import { removeLeftovers, runTrainings } from "../studies/replication/training-processes.js";
import type { TrainingStatus } from "../studies/replication/training-status.js";
import { usableMemory, usableProcessors } from "../util/machine-share.mjs";
import { startProgress } from "../util/progress.js";
import { sharedGpus } from "./gpu-slot.js";
import { writeOut } from "./output.js";
import { imagesOf } from "./replication-status.js";

/** How far a training is, looked up anew. */
export type StatusOf = (training: Training) => TrainingStatus;

const MILLISECONDS_BETWEEN_LOOKS = 2000;
/** A full-width training takes half of it. */
const GIBIBYTES_A_TRAINING = 3;

/** As many trainings at a time as there are GPUs to share out, else as there are cores and memory; one GPU has one. */
export function defaultJobs(): number {
  const gpus = sharedGpus();
  if (gpus.length > 0) return gpus.length;
  if (usesGpu()) return 1;
  const fitting = Math.floor(usableMemory() / 2 ** 30 / GIBIBYTES_A_TRAINING);
  return Math.max(1, Math.min(usableProcessors(), fitting));
}

/** Trains what is missing, with one line of progress over all of it; gives the number that failed. */
export async function trainAll(
  trainings: readonly Training[],
  statusOf: StatusOf,
  jobs: number,
  root: string,
  signal: AbortSignal,
): Promise<number> {
  await checkImages(trainings, root, writeOut);
  const missing = trainings.filter((training) => statusOf(training).state !== "done");
  await removeLeftovers(
    root,
    trainings.filter((training) => !missing.includes(training)),
  );
  if (missing.length === 0) {
    writeOut(`all ${trainings.length} trainings are finished`);
    return 0;
  }
  const threads = Math.max(1, Math.floor(usableProcessors() / jobs));
  const side = Math.min(jobs, missing.length);
  writeOut(
    `${missing.length} of ${trainings.length} trainings are to be done, ${side} at a time, threads of each: ${threads}`,
  );
  const stopShowing = showProgress(() => trainings.map(statusOf));
  try {
    const outcomes = await runTrainings(missing, {
      root,
      jobs,
      threads,
      signal,
      onEnd: ({ training, problem }) => {
        if (problem !== undefined) warnOnStandardError(`\n${training.directory}: ${problem}`);
      },
    });
    return outcomes.filter(({ state }) => state === "failed").length;
  } finally {
    stopShowing();
  }
}

/** Shows now and then how far all trainings together are; gives what ends it. */
function showProgress(look: () => readonly TrainingStatus[]): () => void {
  const begun = performance.now();
  const initial = imagesOf(look());
  const progress = startProgress({
    label: "images",
    total: initial.total,
    initial: initial.done,
    everySeconds: 30,
  });
  const show = (): void => {
    const statuses = look();
    const { done } = imagesOf(statuses);
    const speed = (1000 * (done - initial.done)) / (performance.now() - begun);
    const finished = statuses.filter(({ state }) => state === "done").length;
    progress.update(done, {
      "trainings done": `${finished}/${statuses.length}`,
      "images/s": speed.toFixed(0),
    });
  };
  const timer = setInterval(show, MILLISECONDS_BETWEEN_LOOKS);
  return () => {
    clearInterval(timer);
    show();
    progress.stop();
  };
}

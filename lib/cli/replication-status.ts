import type { Replication, Training } from "../studies/replication/replication.js";
import type { TrainingStatus } from "../studies/replication/training-status.js";
import { count, writeOut } from "./output.js";

/** Images gone through by all trainings together, and those that there are to go through. */
export function imagesOf(statuses: readonly TrainingStatus[]): {
  readonly done: number;
  readonly total: number;
} {
  const sum = (value: (status: TrainingStatus) => number): number =>
    statuses.reduce((all, status) => all + value(status), 0);
  return { done: sum(({ images }) => images), total: sum(({ totalImages }) => totalImages) };
}

/** How far trainings are, in one line. */
export function progressText(statuses: readonly TrainingStatus[]): string {
  const { done, total } = imagesOf(statuses);
  const finished = statuses.filter(({ state }) => state === "done").length;
  return `${finished} of ${statuses.length} trainings, ${count(done)} of ${count(total)} images (${percent(done, total)} %)`;
}

/** `cascade replicate --status`: how far each study is, and which trainings are begun. */
export function printStatus(
  { protocol, parts, trainings }: Replication,
  statusOf: (training: Training) => TrainingStatus,
): void {
  const statuses = new Map(trainings.map((training) => [training.directory, statusOf(training)]));
  writeOut(`protocol ${protocol.name}: ${progressText([...statuses.values()])}`);
  for (const { data, study, trainings: own } of parts) {
    const done = own.filter(({ directory }) => statuses.get(directory)?.state === "done").length;
    writeOut(`${data.name.padEnd(14)} ${study.name.padEnd(14)} ${done} of ${own.length} trainings`);
  }
  for (const { training, state, images, totalImages } of statuses.values())
    if (state === "begun") writeOut(`begun: ${training.directory}, ${percent(images, totalImages)} %`);
  printDiverged([...statuses.values()]);
}

/** Names the trainings that diverged: they are done, and studies count them. */
export function printDiverged(statuses: readonly TrainingStatus[]): void {
  for (const { training, diverged } of statuses)
    if (diverged !== undefined) writeOut(`diverged: ${training.directory}: ${diverged}`);
}

function percent(part: number, whole: number): string {
  return whole === 0 ? "0" : ((100 * part) / whole).toFixed(1);
}

import { z } from "zod";
import type { ImageSet } from "../../datasets/dataset.js";
import { accuracyPerTimestep } from "../../trace/accuracy-per-timestep.js";
import type { StepReport, TrainingPlan } from "../../train/training-steps.js";
import { collectTrace } from "./collect-trace.js";
import { notFinite, type NotFinite } from "./divergence.js";
import type { MetricsRecord } from "./run-record.js";
import type { Run } from "./run-store.js";

/** Records the accuracy on the images held out; gives the logits that are not finite. */
export function recordValidation(
  run: Run,
  { network, normalisation }: TrainingPlan,
  { state, step, epoch }: StepReport,
  validation: ImageSet,
): NotFinite | null {
  if (validation.labels.length === 0) return null;
  const trace = collectTrace(network, state, validation, { normalisation });
  const found = notFinite("logits", trace.logits);
  if (found === null) run.appendMetrics({ step, epoch, validationAccuracy: [...accuracyPerTimestep(trace)] });
  return found;
}

/** The loss of the newest step that was recorded, for a training that goes on. */
export function lastRecordedLoss(run: Run): number | null {
  const losses = run.readMetrics().flatMap(({ loss }) => (typeof loss === "number" ? [loss] : []));
  return losses.at(-1) ?? null;
}

const stepRecordSchema = z.looseObject({
  step: z.number(),
  epoch: z.number(),
  learningRate: z.number(),
  loss: z.number(),
  lossPerTimestep: z.array(z.number()),
  /** [T] share of the batch that is right at each timestep. */
  accuracy: z.array(z.number()),
  imagesPerSecond: z.number(),
  dataShare: z.number(),
});

/** A line of the metrics: what a step says of the training. */
export type StepRecord = z.output<typeof stepRecordSchema>;

/** The steps among the metrics of a run; other lines tell of validation and divergence. */
export const stepRecords = (metrics: readonly MetricsRecord[]): StepRecord[] =>
  metrics.flatMap((record) => stepRecordSchema.safeParse(record).data ?? []);

export function stepRecord(report: StepReport, plan: TrainingPlan): StepRecord {
  const { step, epoch, learningRate, loss, milliseconds } = report;
  return {
    step,
    epoch,
    learningRate,
    loss: loss.loss,
    lossPerTimestep: loss.lossPerTimestep,
    accuracy: batchAccuracy(report),
    imagesPerSecond: (1000 * plan.batchSize) / (milliseconds.data + milliseconds.step),
    dataShare: milliseconds.data / (milliseconds.data + milliseconds.step),
  };
}

/** Loss, and accuracy at the first, middle and last timestep. */
export function shownFields({ loss, accuracy, imagesPerSecond }: StepRecord): Record<string, string> {
  const percent = (t: number): string => (100 * (accuracy[t] ?? 0)).toFixed(0);
  const last = accuracy.length - 1;
  return {
    loss: loss.toFixed(3),
    "accuracy %": [...new Set([0, last >> 1, last])].map(percent).join("/"),
    "images/s": imagesPerSecond.toFixed(0),
  };
}

/** [T] share of the batch that is right at each timestep. */
function batchAccuracy({ logits, labels }: StepReport): number[] {
  const { timesteps, batch: examples, classes, values } = logits;
  return [...accuracyPerTimestep({ timesteps, examples, classes, logits: values, labels, ids: labels })];
}

import { type Augmentation, batchesPerEpoch, epochBatches } from "../datasets/batches.js";
import type { ImageSet } from "../datasets/dataset.js";
import type { ChannelStatistics } from "../datasets/statistics.js";
import { type ExitWeights, exitWeightsAt, isBackboneFrozen } from "../losses/exit-weights.js";
import type { TdResult, TdSettings } from "../losses/td-lambda.js";
import type { AnytimeNetwork } from "../models/anytime-network.js";
import type { Logits } from "../nn/head.js";
import type { Precision } from "../nn/backend/kernels.js";
import { tf } from "../nn/tensorflow.js";
import { constantTimeline } from "../nn/timeline.js";
import { learningRateAt, type Schedule } from "./schedule.js";
import { trainingStep, type TrainingState } from "./training-step.js";

/** Everything that decides a training, besides its first state. */
export interface TrainingPlan {
  readonly network: AnytimeNetwork;
  readonly set: ImageSet;
  readonly normalisation: ChannelStatistics;
  readonly seed: number;
  readonly loss: TdSettings;
  /** In place of the loss's own weights. */
  readonly exitWeights?: ExitWeights | undefined;
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
  readonly schedule: Schedule;
  readonly augmentation: Augmentation;
  readonly precision?: Precision | undefined;
}

/** What is known after a step. */
export interface StepReport {
  /** Steps done, from 1. */
  readonly step: number;
  /** The epoch it belongs to, from 0. */
  readonly epoch: number;
  readonly endsEpoch: boolean;
  readonly learningRate: number;
  readonly loss: TdResult;
  readonly logits: Logits;
  readonly labels: Int32Array;
  /** Milliseconds spent on the batch's images and on the step itself. */
  readonly milliseconds: { readonly data: number; readonly step: number };
  /** The state after the step; the generator frees it when it goes on. */
  readonly state: TrainingState;
}

export function stepsPerEpoch({ set, batchSize }: Pick<TrainingPlan, "set" | "batchSize">): number {
  return batchesPerEpoch(set.labels.length, { batchSize, dropLast: true });
}

export function totalSteps(plan: Pick<TrainingPlan, "set" | "batchSize" | "epochs">): number {
  return stepsPerEpoch(plan) * plan.epochs;
}

/**
 * Trains from `state`, `stepsDone` steps into the plan, and yields after every step. Each step is a function of the
 * plan, the state and its number alone, so a training that was stopped goes on exactly as it would have.
 */
export function* trainingSteps(
  plan: TrainingPlan,
  initial: TrainingState,
  stepsDone: number,
): Generator<StepReport> {
  const perEpoch = stepsPerEpoch(plan);
  const steps = totalSteps(plan);
  let state = initial;
  let step = stepsDone;
  while (step < steps) {
    const epoch = Math.floor(step / perEpoch);
    const batches = epochBatches(plan.set, {
      ...plan,
      shuffle: true,
      epoch,
      startBatch: step % perEpoch,
      dropLast: true,
    });
    let asked = performance.now();
    for (const batch of batches) {
      const begun = performance.now();
      const part = partOf(plan, step, steps);
      const learningRate = learningRateAt(plan.schedule, plan.learningRate, part.step, part.steps, perEpoch);
      const images = imagesTensor(batch.images, batch.labels.length, plan.set.size);
      const sequence = {
        values: images,
        timeline: constantTimeline(plan.network.timesteps, batch.labels.length),
      };
      const sgd = { learningRate, momentum: plan.momentum, weightDecay: plan.weightDecay };
      const result = trainingStep(
        plan.network,
        state,
        sequence,
        batch.labels,
        lossAt(plan, step / steps),
        sgd,
        plan.precision,
        isBackboneFrozen(plan.exitWeights, step / steps) ? "frozen" : "trained",
      );
      images.dispose();
      state = result.state;
      step++;
      yield {
        step,
        epoch,
        endsEpoch: step % perEpoch === 0,
        learningRate,
        loss: result.loss,
        logits: result.logits,
        labels: batch.labels,
        milliseconds: { data: begun - asked, step: performance.now() - begun },
        state,
      };
      asked = performance.now();
    }
  }
}

/** The loss after the share p of the training. */
function lossAt({ loss, exitWeights, network }: TrainingPlan, p: number): TdSettings {
  return exitWeights === undefined
    ? loss
    : { ...loss, weights: exitWeightsAt(exitWeights, network.timesteps, loss.firstTimestep, p) };
}

/**
 * The part of a training that a step belongs to, as its place there and the part's steps: where the backbone is trained
 * before the rest, each of the two runs through the whole schedule of the learning rate.
 */
function partOf(
  { exitWeights }: TrainingPlan,
  step: number,
  steps: number,
): { readonly step: number; readonly steps: number } {
  if (exitWeights === undefined || exitWeights.kind === "shallowDeep") return { step, steps };
  const first = Math.ceil(exitWeights.backbone * steps);
  return step < first ? { step, steps: first } : { step: step - first, steps: steps - first };
}

function imagesTensor(images: Float32Array, count: number, { height, width }: ImageSet["size"]) {
  return tf.tensor4d(images, [count, height, width, 3]);
}

import { type AnytimeNetwork, forward } from "../models/anytime-network.js";
import { disposeEvaluationPass, disposeState, evaluationPass, type NetworkState } from "../models/state.js";
import { type TdResult, tdLoss, type TdSettings } from "../losses/td-lambda.js";
import type { Logits } from "../nn/head.js";
import type { Precision } from "../nn/backend/kernels.js";
import { scoped, type Tensor, tf } from "../nn/tensorflow.js";
import type { NamedTensors, Sequence } from "../nn/pass.js";
import type { SgdStep } from "../nn/backend/kernels.js";
import { sgdStep } from "./sgd.js";

/** All that changes from step to step: parameters, running statistics, and the momentum of each parameter. */
export interface TrainingState extends NetworkState {
  readonly velocities: NamedTensors;
}

export function disposeTrainingState(state: TrainingState): void {
  disposeState(state);
  tf.dispose([...state.velocities.values()]);
}

/** Whether all that a multi-exit network is made of is trained, or its internal classifiers alone. */
export type Backbone = "trained" | "frozen";

export interface StepResult {
  readonly state: TrainingState;
  readonly logits: Logits;
  readonly loss: TdResult;
}

/**
 * Loss, logits [T, B, K], gradients of the parameters and new running statistics of one batch: images [rows, H, W, 3] on
 * their timeline, labels [B]. `gradients` and `statistics` are the caller's to free.
 */
export function batchGradients(
  network: AnytimeNetwork,
  state: NetworkState,
  images: Sequence,
  labels: ArrayLike<number>,
  loss: TdSettings,
  precision: Precision = "float32",
  backbone: Backbone = "trained",
): { gradients: NamedTensors; statistics: NamedTensors; logits: Logits; loss: TdResult } {
  return scoped(() => {
    const newStatistics = new Map<string, Tensor>();
    const gradients = new Map<string, Tensor>();
    const frozen = backbone === "frozen" ? evaluationPass(network, state) : undefined;
    const pass = {
      kind: "training" as const,
      precision,
      parameters: state.parameters,
      statistics: state.statistics,
      frozen,
      norm: network.spec.norm,
      batch: labels.length,
      newStatistics,
      gradients,
    };
    const run = forward(network, pass, images, labels.length);
    const result = tdLoss(run.y.values, labels, run.y.timesteps, loss);
    run.pullback(result.gradient);
    if (frozen !== undefined) disposeEvaluationPass(frozen);
    for (const gradient of gradients.values()) tf.keep(gradient);
    return { gradients, statistics: newStatistics, logits: run.y, loss: result };
  });
}

/**
 * One training step of images [rows, H, W, 3] with labels [B]: TD(lambda) loss, its gradients, stochastic gradient descent
 * with Nesterov momentum. State in, state out; the tensors of the old state are freed.
 */
export function trainingStep(
  network: AnytimeNetwork,
  state: TrainingState,
  images: Sequence,
  labels: ArrayLike<number>,
  loss: TdSettings,
  sgd: SgdStep,
  precision: Precision = "float32",
  backbone: Backbone = "trained",
): StepResult {
  const batch = batchGradients(network, state, images, labels, loss, precision, backbone);
  const { parameters, velocities } = sgdStep(state.parameters, state.velocities, batch.gradients, sgd);
  for (const name of batch.statistics.keys()) state.statistics.get(name)?.dispose();
  const statistics = new Map([...state.statistics, ...batch.statistics]);
  return {
    state: { parameters, velocities, statistics },
    logits: batch.logits,
    loss: batch.loss,
  };
}

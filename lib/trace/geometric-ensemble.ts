import { minimise, type Slope } from "../util/minimise.js";
import { softmaxRow } from "../util/softmax.js";
import { assertValidation, type ValidationTrace } from "./split.js";
import type { Trace } from "./trace.js";

/** For each timestep t: the weights [t + 1] of the answers so far, none negative, and a bias [K]. */
export interface GeometricEnsemble {
  readonly weights: readonly Float64Array[];
  readonly biases: readonly Float64Array[];
}

/**
 * Geometric ensembling of Zero Time Waste (Wołczyk et al. 2021): the answer at t is the weighted geometric mean of the answers
 * so far,
 *
 *     q[t, n, k] ∝ b[t, k] Π_{s <= t} p[s, n, k]^(w[t, s]),   w[t, s] >= 0
 *
 * with weights and biases of each timestep that give the held-out labels the highest likelihood. That is concave in w and log b,
 * so there is one optimum; `minimise` finds it. The last answer,
 * that of the backbone, stays as it is, as published; the publication fits on the training images.
 */
export function fitGeometricEnsemble(heldOut: ValidationTrace): GeometricEnsemble {
  assertValidation(heldOut, "an ensemble is fitted");
  const logs = logProbabilities(heldOut);
  const fitted = Array.from({ length: heldOut.timesteps - 1 }, (_, t) => fitAt(heldOut, logs, t));
  return {
    weights: [...fitted.map(({ weights }) => weights), lastAlone(heldOut.timesteps)],
    biases: [...fitted.map(({ bias }) => bias), new Float64Array(heldOut.classes)],
  };
}

/** The trace of the ensemble's answers. */
export function withGeometricEnsemble(trace: Trace, { weights, biases }: GeometricEnsemble): Trace {
  const logs = logProbabilities(trace);
  const logits = new Float64Array(trace.logits.length);
  const row = trace.examples * trace.classes;
  weights.forEach((own, t) => {
    const bias = biases[t] as Float64Array;
    for (let i = 0; i < row; i++) {
      let sum = bias[i % trace.classes] as number;
      for (let s = 0; s <= t; s++) sum += (own[s] as number) * (logs[s * row + i] as number);
      logits[t * row + i] = sum;
    }
  });
  return { ...trace, logits };
}

function lastAlone(timesteps: number): Float64Array {
  return new Float64Array(timesteps).fill(1, timesteps - 1);
}

/** log softmax, [T, N, K]; from the logits directly, so that none is infinite. */
function logProbabilities({ logits, classes }: Trace): Float64Array {
  const logs = new Float64Array(logits.length);
  const probs = new Float64Array(classes);
  for (let start = 0; start < logits.length; start += classes) {
    softmaxRow(logits, start, probs);
    const most = probs.indexOf(Math.max(...probs));
    const logSum = (logits[start + most] as number) - Math.log(probs[most] as number);
    for (let k = 0; k < classes; k++) logs[start + k] = (logits[start + k] as number) - logSum;
  }
  return logs;
}

/** Weights [t + 1], then log b [K], in one vector. */
type Parameters = Float64Array;

function fitAt(heldOut: Trace, logs: Float64Array, t: number): { weights: Float64Array; bias: Float64Array } {
  const count = t + 1;
  const start = new Float64Array(count + heldOut.classes).fill(1 / count, 0, count);
  const best = minimise(
    (parameters) => lossAt(heldOut, logs, count, parameters),
    start,
    (parameters) => parameters.map((value, j) => (j < count ? Math.max(0, value) : value)),
  );
  return { weights: best.slice(0, count), bias: best.slice(count) };
}

/** Mean negative log-likelihood of the labels, and its gradient: Σ_n Σ_k (q[k] - [k = label]) log p[s, n, k] / N, and without log p for the bias. */
function lossAt(
  { examples, classes, labels }: Trace,
  logs: Float64Array,
  count: number,
  parameters: Parameters,
): Slope {
  const gradient = new Float64Array(parameters.length);
  const z = new Float64Array(classes);
  const q = new Float64Array(classes);
  const row = examples * classes;
  let loss = 0;
  for (let n = 0; n < examples; n++) {
    for (let k = 0; k < classes; k++) {
      let sum = parameters[count + k] as number;
      for (let s = 0; s < count; s++)
        sum += (parameters[s] as number) * (logs[s * row + n * classes + k] as number);
      z[k] = sum;
    }
    softmaxRow(z, 0, q);
    const label = labels[n] as number;
    loss -= Math.log(Math.max(Number.MIN_VALUE, q[label] as number));
    for (let k = 0; k < classes; k++) {
      const error = (q[k] as number) - (k === label ? 1 : 0);
      gradient[count + k] = (gradient[count + k] as number) + error / examples;
      for (let s = 0; s < count; s++) {
        const slope = (error * (logs[s * row + n * classes + k] as number)) / examples;
        gradient[s] = (gradient[s] as number) + slope;
      }
    }
  }
  return { value: loss / examples, gradient };
}

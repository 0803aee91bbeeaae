import { softmaxRow } from "../util/softmax.js";
import { assertValidation, type ValidationTrace } from "./split.js";
import type { Trace } from "./trace.js";

/** For each timestep t: the weights [t + 1] of the answers so far, none negative, and a bias [K]. */
export interface GeometricEnsemble {
  readonly weights: readonly Float64Array[];
  readonly biases: readonly Float64Array[];
}

/** The descent ends where its steps, divided by their length, are as small as this, or after so many. */
const TOLERANCE = 1e-6;
const MOST_STEPS = 2000;

/**
 * Geometric ensembling of Zero Time Waste (Wołczyk et al. 2021): the answer at t is the weighted geometric mean of the answers
 * so far,
 *
 *     q[t, n, k] ∝ b[t, k] Π_{s <= t} p[s, n, k]^(w[t, s]),   w[t, s] >= 0
 *
 * with weights and biases of each timestep that give the held-out labels the highest likelihood. That is concave in w and log b,
 * so there is one optimum; it is found by accelerated projected gradient descent (Beck and Teboulle 2009; its momentum is let go
 * where it leads uphill). The last answer,
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
  let x: Parameters = new Float64Array(count + heldOut.classes).fill(1 / count, 0, count);
  let y = x;
  let momentum = 1;
  let step = 1;
  for (let i = 0; i < MOST_STEPS; i++) {
    const { loss, gradient } = lossAt(heldOut, logs, count, y);
    let next = projected(y, gradient, step, count);
    while (lossAt(heldOut, logs, count, next).loss > quadraticBound(loss, gradient, y, next, step)) {
      step /= 2;
      next = projected(y, gradient, step, count);
    }
    if (largestChange(y, next) < TOLERANCE * step) return split(next, count);
    const isUphill = innerProduct(gradient, x, next) > 0;
    const nextMomentum = isUphill ? 1 : (1 + Math.sqrt(1 + 4 * momentum ** 2)) / 2;
    const push = isUphill ? 0 : (momentum - 1) / nextMomentum;
    const before = x;
    y = next.map((value, j) => value + push * (value - (before[j] as number)));
    [x, momentum] = [next, nextMomentum];
  }
  return split(x, count);
}

function split(x: Parameters, count: number): { weights: Float64Array; bias: Float64Array } {
  return { weights: x.slice(0, count), bias: x.slice(count) };
}

function largestChange(from: Parameters, to: Parameters): number {
  return Math.max(...from.map((value, j) => Math.abs((to[j] as number) - value)));
}

/** Of the gradient and the way from one point to another. */
function innerProduct(gradient: Parameters, from: Parameters, to: Parameters): number {
  return gradient.reduce((sum, slope, j) => sum + slope * ((to[j] as number) - (from[j] as number)), 0);
}

/** A gradient step, then weights that fell below zero are zero. */
function projected(y: Parameters, gradient: Parameters, step: number, count: number): Parameters {
  return y.map((value, j) => {
    const moved = value - step * (gradient[j] as number);
    return j < count ? Math.max(0, moved) : moved;
  });
}

function quadraticBound(
  loss: number,
  gradient: Parameters,
  from: Parameters,
  to: Parameters,
  step: number,
): number {
  let bound = loss + 1e-12;
  from.forEach((value, j) => {
    const change = (to[j] as number) - value;
    bound += (gradient[j] as number) * change + change ** 2 / (2 * step);
  });
  return bound;
}

/** Mean negative log-likelihood of the labels, and its gradient: Σ_n Σ_k (q[k] - [k = label]) log p[s, n, k] / N, and without log p for the bias. */
function lossAt(
  { examples, classes, labels }: Trace,
  logs: Float64Array,
  count: number,
  parameters: Parameters,
): { loss: number; gradient: Parameters } {
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
  return { loss: loss / examples, gradient };
}

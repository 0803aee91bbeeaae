import { softmax } from "../util/softmax.js";
import { UserError } from "../util/errors.js";
import { assertLabels, lastAxis } from "../util/shapes.js";

/** The loss over the timesteps of a trace of logits. */
export interface TdSettings {
  /** How far the target looks ahead: 0 the next step's belief, 1 the label alone (cross-entropy at every step). */
  readonly lambda: number;
  /** First timestep that counts: 1 under the one-step delay (at t = 0 nothing has been seen), else 0. */
  readonly firstTimestep: number;
  /** [T] weight of each timestep; 1 where left out. */
  readonly weights?: readonly number[] | undefined;
  /** Divide by the number of timesteps that count. */
  readonly mean?: boolean | undefined;
}

export interface TdResult {
  readonly loss: number;
  /** [T] cross-entropy of target against logits, mean over the batch, without weights. */
  readonly lossPerTimestep: number[];
  /** [T, B, K] gradient of the loss by the logits; no gradient flows through the targets. */
  readonly gradient: Float32Array;
}

/**
 * TD(lambda) targets (Iuzzolino, Mozer and Bengio 2021, after Sutton, "Learning to predict by the methods of temporal
 * differences", 1988) as a linear backward recursion:
 *
 *     G[T-1] = onehot(y)
 *     G[t]   = (1 - lambda) softmax(logits[t+1]) + lambda G[t+1]
 *
 * which is the lambda-return (1 - lambda) sum_i lambda^(i-1) softmax(logits[t+i]) + lambda^(T-1-t) onehot(y).
 * probabilities: [T, B, K] = softmax(logits), labels: [B] of 0 .. K - 1 -> [T, B, K]. A UserError says which shape or
 * label does not fit.
 */
export function tdTargets(
  probabilities: Float64Array,
  labels: ArrayLike<number>,
  timesteps: number,
  lambda: number,
): Float64Array {
  const { batch, step, classes } = checkedShape(probabilities, labels, timesteps);
  const targets = new Float64Array(probabilities.length);
  const last = (timesteps - 1) * step;
  for (let b = 0; b < batch; b++) targets[last + b * classes + (labels[b] as number)] = 1;
  for (let i = last - 1; i >= 0; i--) {
    targets[i] = (1 - lambda) * (probabilities[i + step] as number) + lambda * (targets[i + step] as number);
  }
  return targets;
}

/**
 * How much each source weighs in the target of timestep t: the beliefs at t + 1 .. T - 1, then the label.
 *
 *     weight of softmax(logits[t+i]) = (1 - lambda) lambda^(i-1),  weight of the label = lambda^(T-1-t)
 *
 * Returns [T - 1 - t + 1] weights, which add up to 1.
 */
export function tdWeights(lambda: number, t: number, timesteps: number): number[] {
  const ahead = timesteps - 1 - t;
  return [...Array.from({ length: ahead }, (_, i) => (1 - lambda) * lambda ** i), lambda ** ahead];
}

/**
 * TD(lambda) loss, and its gradient by the logits:
 *
 *     loss = sum_t w[t] mean_b H(G[t], softmax(logits[t]))        (divided by the timesteps that count, if `mean`)
 *     d loss / d logits[t] = w[t] (softmax(logits[t]) - G[t]) / B
 *
 * logits: [T, B, K] row-major, labels: [B] -> loss, per-timestep losses [T], gradient [T, B, K].
 */
export function tdLoss(
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
  timesteps: number,
  settings: TdSettings,
): TdResult {
  checkSettings(settings, timesteps);
  const { batch, step, classes } = checkedShape(logits, labels, timesteps);
  const probabilities = softmax(logits, classes);
  const targets = tdTargets(probabilities, labels, timesteps, settings.lambda);
  const lossPerTimestep = crossEntropyPerTimestep(logits, targets, timesteps, batch, classes);
  const gradient = new Float32Array(logits.length);
  const divisor = settings.mean === true ? timesteps - settings.firstTimestep : 1;
  let loss = 0;
  for (let t = settings.firstTimestep; t < timesteps; t++) {
    const weight = (settings.weights?.[t] ?? 1) / divisor;
    loss += weight * (lossPerTimestep[t] as number);
    for (let i = t * step; i < (t + 1) * step; i++) {
      gradient[i] = (weight * ((probabilities[i] as number) - (targets[i] as number))) / batch;
    }
  }
  return { loss, lossPerTimestep, gradient };
}

/** H(G, softmax(z)) = logsumexp(z) - sum_k G_k z_k, mean over the batch -> [T]. */
function crossEntropyPerTimestep(
  logits: ArrayLike<number>,
  targets: Float64Array,
  timesteps: number,
  batch: number,
  classes: number,
): number[] {
  return Array.from({ length: timesteps }, (_, t) => {
    let sum = 0;
    for (let b = 0; b < batch; b++) {
      const start = (t * batch + b) * classes;
      let largest = -Infinity;
      for (let k = 0; k < classes; k++) largest = Math.max(largest, logits[start + k] as number);
      let exponentials = 0;
      let expected = 0;
      for (let k = 0; k < classes; k++) {
        const shifted = (logits[start + k] as number) - largest;
        exponentials += Math.exp(shifted);
        expected += (targets[start + k] as number) * shifted;
      }
      sum += Math.log(exponentials) - expected;
    }
    return sum / batch;
  });
}

/** Values [T, B, K] with labels [B]: B, K, and the values of a timestep, B K. */
function checkedShape(
  values: ArrayLike<number>,
  labels: ArrayLike<number>,
  timesteps: number,
): { batch: number; step: number; classes: number } {
  const batch = labels.length;
  const classes = lastAxis(values.length, { timesteps, examples: batch });
  assertLabels(labels, classes);
  return { batch, step: batch * classes, classes };
}

function checkSettings(settings: TdSettings, timesteps: number): void {
  if (!(settings.lambda >= 0 && settings.lambda <= 1)) {
    throw new UserError(`lambda is ${settings.lambda}; it must lie between 0 and 1`);
  }
  if (settings.weights !== undefined && settings.weights.length !== timesteps) {
    throw new UserError(
      `there are ${settings.weights.length} timestep weights for ${timesteps} timesteps; give one each`,
    );
  }
}

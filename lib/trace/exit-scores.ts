import { minimise, type Slope } from "../util/minimise.js";
import {
  confidences,
  correctness,
  mapProbabilities,
  normalizedEntropy,
  predictions,
} from "./probabilities.js";
import { assertValidation, type ValidationTrace } from "./split.js";
import type { Trace } from "./trace.js";

/** Weights of the score of each timestep, [T][5]: of a constant, confidence, certainty, votes, and the score before. */
export type ExitScores = readonly Float64Array[];

const FEATURES = 5;
/** Keeps weights finite where right and wrong answers can be told apart without fault. */
const RIDGE = 1e-3;

/**
 * Learns when to stop in the way of EENet (Ilhan et al., "Adaptive deep neural network inference optimization with EENet", 2024):
 * a score of each timestep, in sequence,
 *
 *     score[t, n] = σ(w[t] · (1, max_k p, 1 - H(p) / log K, votes, score[t-1, n]))
 *
 * with votes the share of the answers so far that agree with the newest. Weights are those of logistic regression on whether
 * the held-out answer at t is right. Thresholds follow from the shares of images that are to leave at each timestep
 * (`budgetedThresholds` with `exitScores`). EENet learns shares and scores together, for one budget.
 */
export function fitExitScores(heldOut: ValidationTrace): ExitScores {
  assertValidation(heldOut, "exit scores are fitted");
  const right = correctness(heldOut);
  const { timesteps, examples } = heldOut;
  const signals = signalsOf(heldOut);
  const scores: Float64Array[] = [];
  let before = new Float64Array(examples);
  for (let t = 0; t < timesteps; t++) {
    const features = featuresAt(signals, t, before);
    const own = right.subarray(t * examples, (t + 1) * examples);
    const weights = minimise((w) => logisticSlope(features, own, w), new Float64Array(FEATURES));
    scores.push(weights);
    before = scoresAt(features, weights, examples);
  }
  return scores;
}

/** Scores of a trace, [T, N], high where an image may leave. */
export function exitScores(trace: Trace, fitted: ExitScores): Float64Array {
  const { timesteps, examples } = trace;
  const signals = signalsOf(trace);
  const all = new Float64Array(timesteps * examples);
  let before = new Float64Array(examples);
  fitted.forEach((weights, t) => {
    before = scoresAt(featuresAt(signals, t, before), weights, examples);
    all.set(before, t * examples);
  });
  return all;
}

interface Signals {
  readonly confidence: Float64Array;
  readonly certainty: Float64Array;
  readonly votes: Float64Array;
  readonly examples: number;
}

function signalsOf(trace: Trace): Signals {
  return {
    confidence: confidences(trace),
    certainty: mapProbabilities(trace, (probs) => 1 - normalizedEntropy(probs)),
    votes: votes(trace),
    examples: trace.examples,
  };
}

/** Share of the answers up to t that are the answer at t, [T, N]. */
function votes(trace: Trace): Float64Array {
  const { examples } = trace;
  const answers = predictions(trace);
  return Float64Array.from(answers, (answer, row) => {
    let agreeing = 0;
    for (let earlier = row % examples; earlier <= row; earlier += examples)
      if (answers[earlier] === answer) agreeing++;
    return agreeing / (Math.floor(row / examples) + 1);
  });
}

/** [N, 5] */
function featuresAt(
  { confidence, certainty, votes: agreement, examples }: Signals,
  t: number,
  before: Float64Array,
): Float64Array {
  const features = new Float64Array(examples * FEATURES);
  for (let n = 0; n < examples; n++) {
    const row = t * examples + n;
    features.set(
      [1, confidence[row] as number, certainty[row] as number, agreement[row] as number, before[n] as number],
      n * FEATURES,
    );
  }
  return features;
}

function scoreOf(features: Float64Array, n: number, weights: Float64Array): number {
  let sum = 0;
  for (let d = 0; d < FEATURES; d++) sum += (features[n * FEATURES + d] as number) * (weights[d] as number);
  return 1 / (1 + Math.exp(-sum));
}

function scoresAt(
  features: Float64Array,
  weights: Float64Array,
  examples: number,
): Float64Array<ArrayBuffer> {
  return Float64Array.from({ length: examples }, (_, n) => scoreOf(features, n, weights));
}

/** Mean logistic loss with a ridge, RIDGE |w|² / 2, and its slope: mean of (score - right) feature, plus RIDGE w. */
function logisticSlope(features: Float64Array, right: Uint8Array, weights: Float64Array): Slope {
  const gradient = weights.map((weight) => RIDGE * weight);
  let value = weights.reduce((sum, weight) => sum + (RIDGE * weight ** 2) / 2, 0);
  for (let n = 0; n < right.length; n++) {
    const score = scoreOf(features, n, weights);
    const isRight = right[n] as number;
    value -= Math.log(Math.max(Number.MIN_VALUE, isRight === 1 ? score : 1 - score)) / right.length;
    for (let d = 0; d < FEATURES; d++) {
      const slope = ((score - isRight) * (features[n * FEATURES + d] as number)) / right.length;
      gradient[d] = (gradient[d] as number) + slope;
    }
  }
  return { value, gradient };
}

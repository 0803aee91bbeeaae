import { UserError } from "../util/errors.js";
import { lastAxis } from "../util/shapes.js";
import {
  mapProbabilities,
  confidences,
  correctness,
  normalizedEntropy,
  predictions,
} from "./probabilities.js";
import { argmaxRow } from "../util/softmax.js";
import type { Trace } from "./trace.js";

/**
 * When to stop and answer. An example stops at the first timestep at which
 * - `confidence`: its largest probability reaches the threshold (the paper's rule),
 * - `margin`: the largest leads the second largest probability by the threshold,
 * - `entropy`: the entropy of its probabilities, divided by log K, has fallen to the threshold (BranchyNet),
 * - `patience`: its answer has stayed the same for `steps` further timesteps (PABEE),
 * - `deadline`: it is `timestep`, the same for all examples: what every other rule has to beat,
 *
 * and at the last timestep if that never happens.
 */
export type StoppingRule =
  | { readonly kind: "confidence"; readonly threshold: number }
  | { readonly kind: "margin"; readonly threshold: number }
  | { readonly kind: "entropy"; readonly threshold: number }
  | { readonly kind: "patience"; readonly steps: number }
  | { readonly kind: "deadline"; readonly timestep: number };

export type StoppingSignal = StoppingRule["kind"];

/**
 * What a rule watches, [T, N], signed so that an example stops once its signal is high enough:
 * confidence max_k p, margin p(1) - p(2), entropy Σ_k p log p / log K (negative), patience the number of
 * timesteps since the answer last changed, deadline the timestep.
 */
export function stoppingSignal(trace: Trace, kind: StoppingSignal): Float64Array {
  switch (kind) {
    case "confidence":
      return confidences(trace);
    case "margin":
      return mapProbabilities(trace, margin);
    case "entropy":
      return mapProbabilities(trace, (probs) => -normalizedEntropy(probs));
    case "patience":
      return stepsUnchanged(trace);
    case "deadline":
      return Float64Array.from({ length: trace.timesteps * trace.examples }, (_, row) =>
        Math.floor(row / trace.examples),
      );
  }
}

function margin(probs: Float64Array): number {
  const best = argmaxRow(probs, 0, probs.length);
  const second = probs.reduce((most, p, k) => (k !== best && p > most ? p : most), 0);
  return (probs[best] as number) - second;
}

function stepsUnchanged(trace: Trace): Float64Array {
  const answers = predictions(trace);
  const unchanged = new Float64Array(answers.length);
  for (let row = trace.examples; row < answers.length; row++) {
    const before = row - trace.examples;
    unchanged[row] = answers[row] === answers[before] ? (unchanged[before] as number) + 1 : 0;
  }
  return unchanged;
}

/** The stopping rule of a kind that stops at `level`: a threshold, a number of steps for patience, a deadline's timestep. */
export function stoppingRule(kind: StoppingSignal, level: number): StoppingRule {
  switch (kind) {
    case "patience":
      return { kind, steps: level };
    case "deadline":
      return { kind, timestep: level };
    default:
      return { kind, threshold: level };
  }
}

/**
 * Stopping time of each example, [N]:
 *
 *     stoppingTime[n] = min { t : signal[t, n] >= level },  T - 1 if there is none
 *
 * Throws a UserError for a threshold outside [0, 1] or a number of steps that is not whole.
 */
export function stoppingTimes(trace: Trace, rule: StoppingRule): Int32Array {
  return stoppingTimesOfSignal(stoppingSignal(trace, rule.kind), trace.examples, rule);
}

/** Stopping times as `stoppingTimes` gives them, from a signal [T, N] at hand: for many levels of one rule. */
export function stoppingTimesOfSignal(
  signal: Float64Array,
  examples: number,
  rule: StoppingRule,
): Int32Array {
  return timesReaching(signal, examples, signalLevel(rule));
}

/** The first timestep at which each example's signal [T, N] reaches `level`, or that timestep's level [T], else the last: [N]. */
export function timesReaching(
  signal: Float64Array,
  examples: number,
  level: number | Float64Array,
): Int32Array {
  const last = lastAxis(signal.length, { examples }) - 1;
  const levels = typeof level === "number" ? new Float64Array(last + 1).fill(level) : level;
  return Int32Array.from({ length: examples }, (_, n) => {
    let t = 0;
    while (t < last && (signal[t * examples + n] as number) < (levels[t] as number)) t++;
    return t;
  });
}

/**
 * When a rule that knows the label would stop, [N]: at the first timestep whose answer is right, and at the first of all
 * where none is, since waiting gains nothing. No rule is more accurate, nor faster at its accuracy.
 */
export function oracleStoppingTimes(trace: Trace): Int32Array {
  const { timesteps, examples } = trace;
  const correct = correctness(trace);
  return Int32Array.from({ length: examples }, (_, n) => {
    for (let t = 0; t < timesteps; t++) if (correct[t * examples + n] === 1) return t;
    return 0;
  });
}

function signalLevel(rule: StoppingRule): number {
  if (rule.kind === "patience" || rule.kind === "deadline") {
    const steps = rule.kind === "patience" ? rule.steps : rule.timestep;
    if (Number.isInteger(steps) && steps >= 0) return steps;
    throw new UserError(`a ${rule.kind} must be a whole number of timesteps from 0, not ${steps}`);
  }
  if (!(rule.threshold >= 0 && rule.threshold <= 1)) {
    throw new UserError(`a ${rule.kind} threshold must lie in [0, 1], not at ${rule.threshold}`);
  }
  return rule.kind === "entropy" ? -rule.threshold : rule.threshold;
}

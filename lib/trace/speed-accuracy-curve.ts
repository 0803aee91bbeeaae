import { from, type ColumnTable } from "arquero";
import { mean, quantileOfSorted } from "../util/statistics.js";
import { asymptoticAccuracy } from "./accuracy-per-timestep.js";
import { correctness } from "./probabilities.js";
import {
  stoppingRule,
  stoppingSignal,
  stoppingTimesOfSignal,
  timesReaching,
  type StoppingSignal,
} from "./stopping-time.js";
import type { Trace } from "./trace.js";

export interface SpeedAccuracyPoint {
  /** Level of the stopping rule: a threshold, or a number of timesteps for patience and deadline. */
  readonly threshold: number;
  /** In timesteps. */
  readonly meanStoppingTime: number;
  readonly accuracy: number;
  /** An image, up to the stopping time; only where the trace knows its cost. */
  readonly meanMultiplyAdds?: number;
  /** Measured, up to the stopping time; only where the trace knows it. */
  readonly meanMilliseconds?: number;
}

export interface SpeedAccuracyOptions {
  /** What the stopping rule watches; confidence unless told. */
  readonly signal?: StoppingSignal;
  /** Levels of the rule; 0 to 1 in 100 steps unless told, for patience and deadline 0 to T - 1. */
  readonly thresholds?: readonly number[];
}

/** The thresholds 0, 1/100, ..., 1 of the paper's curve. */
export const THRESHOLDS: readonly number[] = Array.from({ length: 101 }, (_, i) => i / 100);

/**
 * Speed-accuracy curve: for each threshold q, with s[n] the stopping time of example n under q,
 *
 *     meanStoppingTime(q) = 1/N Σ_n s[n]
 *     accuracy(q)         = 1/N Σ_n [argmax_k logits[s[n], n, k] = label[n]]
 *     meanMultiplyAdds(q) = 1/N Σ_n multiplyAdds[s[n]],   meanMilliseconds(q) likewise
 */
export function speedAccuracyCurve(trace: Trace, options: SpeedAccuracyOptions = {}): SpeedAccuracyPoint[] {
  const { signal: kind = "confidence", thresholds = defaultThresholds(kind, trace) } = options;
  const signal = stoppingSignal(trace, kind);
  return pointsOfTimes(trace, thresholds, (threshold) =>
    stoppingTimesOfSignal(signal, trace.examples, stoppingRule(kind, threshold)),
  );
}

/**
 * The curve of any signal [T, N], high where an example shall stop, such as the probability of being right. By
 * default its levels are the signal's own quantiles in 100 steps, so that signals on different scales are all
 * traced from end to end; a level above all values adds the point where nothing stops early.
 */
export function signalSpeedAccuracyCurve(
  trace: Trace,
  signal: Float64Array,
  levels: readonly number[] = ownLevels(signal),
): SpeedAccuracyPoint[] {
  return pointsOfTimes(trace, levels, (level) => timesReaching(signal, trace.examples, level));
}

function ownLevels(signal: Float64Array): number[] {
  const sorted = signal.toSorted();
  return [...THRESHOLDS.map((q) => quantileOfSorted(sorted, q)), Infinity];
}

function pointsOfTimes(
  trace: Trace,
  levels: readonly number[],
  timesAt: (level: number) => Int32Array,
): SpeedAccuracyPoint[] {
  const correct = correctness(trace);
  return levels.map((level) => pointOfTimes(trace, level, timesAt(level), correct));
}

/** The point of a curve at which the examples stop at `times` [N]; `threshold` is the level that led there. */
export function pointOfTimes(
  { examples, cost, ...trace }: Trace,
  threshold: number,
  times: Int32Array,
  correct: Uint8Array = correctness({ examples, ...trace }),
): SpeedAccuracyPoint {
  const meanCost = (costs: readonly number[]): number =>
    mean(Float64Array.from(times, (t) => costs[t] as number));
  return {
    threshold,
    meanStoppingTime: mean(times),
    accuracy: mean(times.map((t, n) => correct[t * examples + n] as number)),
    ...(cost && { meanMultiplyAdds: meanCost(cost.multiplyAdds) }),
    ...(cost?.milliseconds && { meanMilliseconds: meanCost(cost.milliseconds) }),
  };
}

function defaultThresholds(kind: StoppingSignal, { timesteps }: Trace): readonly number[] {
  const isCount = kind === "patience" || kind === "deadline";
  return isCount ? Array.from({ length: timesteps }, (_, steps) => steps) : THRESHOLDS;
}

/**
 * Table of the curve, one row a threshold: [model,] threshold, meanStoppingTime, accuracy [, meanMultiplyAdds]
 * [, meanMilliseconds], asymptoticAccuracy (of the last timestep, the same in every row).
 */
export function speedAccuracyTable(trace: Trace, options: SpeedAccuracyOptions = {}): ColumnTable {
  const asymptote = asymptoticAccuracy(trace);
  return from(
    speedAccuracyCurve(trace, options).map((point) => ({
      ...(trace.model !== undefined && { model: trace.model }),
      ...point,
      asymptoticAccuracy: asymptote,
    })),
  );
}

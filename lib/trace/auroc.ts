import { UserError } from "../util/errors.js";
import type { RandomStream } from "../util/random.js";
import { type Interval, quantileOfSorted } from "../util/statistics.js";

/**
 * Area under the receiver operating characteristic: the probability that a score of a positive example is above
 * that of a negative one, ties counted half (the Mann-Whitney statistic, divided by n₊ n₋),
 *
 *     AUROC = 1/(n₊ n₋) Σ_{i positive} Σ_{j negative} ([s_i > s_j] + ½ [s_i = s_j])
 *
 * `scores` [N], `positive` [N] of 1 and 0. 0.5 is chance. NaN where one of the two kinds is missing.
 */
export function auroc(scores: ArrayLike<number>, positive: ArrayLike<number>): number {
  return aurocOfCounts(rankedPlaces(scores, positive), positive, () => 1);
}

export interface AurocBootstrap {
  /** Of the sample itself, for each signal. */
  readonly values: readonly number[];
  /** Percentile interval of each signal. */
  readonly intervals: readonly Interval[];
  /** Percentile interval of each signal less the first, on the same resamples. */
  readonly differences: readonly Interval[];
}

export interface AurocBootstrapOptions {
  readonly stream: RandomStream;
  readonly resamples?: number;
  /** Coverage, 0.95 unless told. */
  readonly level?: number;
}

/**
 * AUROC of several signals [N] for the same examples, with percentile bootstrap intervals. Positive and negative
 * examples are drawn with replacement apart, as many of each as there are, the same ones for all signals, so that
 * the intervals of differences are paired.
 *
 * Throws a UserError where positive or negative examples are missing.
 */
export function aurocBootstrap(
  signals: readonly ArrayLike<number>[],
  positive: ArrayLike<number>,
  { stream, resamples = 1000, level = 0.95 }: AurocBootstrapOptions,
): AurocBootstrap {
  const kinds = [1, 0].map((kind) =>
    Int32Array.from({ length: positive.length }, (_, n) => n).filter((n) => positive[n] === kind),
  );
  if (kinds.some((members) => members.length === 0)) {
    throw new UserError("an AUROC needs positive and negative examples; all of these are of one kind");
  }
  const orders = signals.map((scores) => rankedPlaces(scores, positive));
  const drawn = signals.map(() => new Float64Array(resamples));
  const counts = new Int32Array(positive.length);
  for (let r = 0; r < resamples; r++) {
    counts.fill(0);
    for (const members of kinds) {
      for (let i = 0; i < members.length; i++) {
        const n = members[stream.integer(members.length)] as number;
        counts[n] = (counts[n] as number) + 1;
      }
    }
    orders.forEach((order, s) => {
      (drawn[s] as Float64Array)[r] = aurocOfCounts(order, positive, (n) => counts[n] as number);
    });
  }
  const interval = (values: Float64Array): Interval => {
    const sorted = values.toSorted();
    return {
      low: quantileOfSorted(sorted, (1 - level) / 2),
      high: quantileOfSorted(sorted, (1 + level) / 2),
    };
  };
  const [first] = drawn;
  return {
    values: orders.map((order) => aurocOfCounts(order, positive, () => 1)),
    intervals: drawn.map(interval),
    differences: drawn.map((values) => interval(values.map((value, r) => value - (first?.[r] as number)))),
  };
}

/** Examples in ascending order of score, in runs of equal score. */
interface RankedPlaces {
  /** [N] */
  readonly order: Int32Array;
  /** Where each run ends. */
  readonly ends: Int32Array;
}

function rankedPlaces(scores: ArrayLike<number>, positive: ArrayLike<number>): RankedPlaces {
  if (scores.length !== positive.length) {
    throw new UserError(`there are ${scores.length} scores for ${positive.length} examples`);
  }
  const score = (n: number): number => scores[n] as number;
  const order = Int32Array.from({ length: scores.length }, (_, n) => n).sort((a, b) => score(a) - score(b));
  if (order.some((n) => Number.isNaN(score(n)))) throw new UserError("a score is not a number");
  const ends = order
    .map((_, i) => i + 1)
    .filter((end) => end === order.length || score(order[end] as number) !== score(order[end - 1] as number));
  return { order, ends };
}

/** The AUROC of a sample that holds example n count(n) times. */
function aurocOfCounts(
  { order, ends }: RankedPlaces,
  positive: ArrayLike<number>,
  count: (n: number) => number,
): number {
  let pairs = 0;
  let positives = 0;
  let negatives = 0;
  let i = 0;
  for (const end of ends) {
    let tiedPositives = 0;
    let tiedNegatives = 0;
    for (; i < end; i++) {
      const n = order[i] as number;
      if (positive[n] === 1) tiedPositives += count(n);
      else tiedNegatives += count(n);
    }
    pairs += tiedPositives * (negatives + tiedNegatives / 2);
    positives += tiedPositives;
    negatives += tiedNegatives;
  }
  return pairs / (positives * negatives);
}

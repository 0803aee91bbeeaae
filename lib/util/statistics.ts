import type { RandomStream } from "./random.js";

/** Arithmetic mean; NaN of nothing. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum / values.length;
}

/** Standard error of the mean, s / sqrt(n) with s² = Σ (x - mean)² / (n - 1); NaN below two values. */
export function standardError(values: ArrayLike<number>): number {
  const n = values.length;
  const centre = mean(values);
  let squares = 0;
  for (let i = 0; i < n; i++) squares += ((values[i] as number) - centre) ** 2;
  return n < 2 ? NaN : Math.sqrt(squares / (n - 1) / n);
}

/**
 * Standard error of an estimate by the delete-a-group jackknife (Quenouille 1956; Kott 2001): with θ(g) the estimate from
 * all observations but those of group g, of G groups that are alike,
 *
 *     sqrt((G - 1)/G Σ_g (θ(g) - mean θ)²)
 *
 * NaN below two groups.
 */
export function jackknifeError(withoutGroup: readonly number[]): number {
  return (withoutGroup.length - 1) * standardError(withoutGroup);
}

/** Quantile q in [0, 1] by linear interpolation between order statistics at (n - 1) q (type 7 of R and numpy). */
export function quantile(values: ArrayLike<number>, q: number): number {
  return quantileOfSorted(Float64Array.from(values).sort(), q);
}

/** The same of values that are sorted already: for many quantiles of one sample. */
export function quantileOfSorted(sorted: ArrayLike<number>, q: number): number {
  const position = (sorted.length - 1) * q;
  const low = sorted[Math.floor(position)] ?? NaN;
  const high = sorted[Math.ceil(position)] ?? NaN;
  return low + (high - low) * (position - Math.floor(position));
}

/**
 * Probability of at most `successes` of n independent trials that succeed with probability p,
 *
 *     P(X <= s) = Σ_{k <= s} n! / (k! (n - k)!) p^k (1 - p)^(n - k)
 *
 * summed in logarithms relative to the largest term, so that nothing underflows.
 */
export function binomialCdf(successes: number, n: number, p: number): number {
  if (successes >= n || p <= 0) return 1;
  if (successes < 0 || p >= 1) return 0;
  const logs = new Float64Array(successes + 1);
  logs[0] = n * Math.log1p(-p);
  const odds = Math.log(p) - Math.log1p(-p);
  for (let k = 1; k <= successes; k++) logs[k] = (logs[k - 1] as number) + Math.log((n - k + 1) / k) + odds;
  const largest = logs.reduce((most, value) => Math.max(most, value), -Infinity);
  return Math.min(1, Math.exp(largest) * logs.reduce((sum, value) => sum + Math.exp(value - largest), 0));
}

/** Ranks from 1 to n; equal values share the mean of their ranks. */
export function averageRanks(values: ArrayLike<number>): Float64Array {
  return multisetRanks(values, ascendingOrder(values), new Uint32Array(values.length).fill(1));
}

function ascendingOrder(values: ArrayLike<number>): Uint32Array {
  return Uint32Array.from({ length: values.length }, (_, i) => i).sort(
    (a, b) => (values[a] as number) - (values[b] as number),
  );
}

/** Rank of each value in the multiset that holds value i `counts[i]` times; `order` has them ascend. */
function multisetRanks(values: ArrayLike<number>, order: Uint32Array, counts: Uint32Array): Float64Array {
  const ranks = new Float64Array(values.length);
  for (let first = 0, next = 0, below = 0; first < order.length; first = next) {
    const tied = values[order[first] as number];
    let equal = 0;
    do equal += counts[order[next++] as number] as number;
    while (next < order.length && values[order[next] as number] === tied);
    for (let i = first; i < next; i++) ranks[order[i] as number] = below + (equal + 1) / 2;
    below += equal;
  }
  return ranks;
}

/** Pearson's correlation, Σ (x - mean x)(y - mean y) / sqrt(Σ (x - mean x)² Σ (y - mean y)²); NaN if one is constant. */
function pearson(x: ArrayLike<number>, y: ArrayLike<number>): number {
  if (x.length !== y.length) throw new RangeError(`correlation of ${x.length} with ${y.length} values`);
  const centreX = mean(x);
  const centreY = mean(y);
  let products = 0;
  let squaresX = 0;
  let squaresY = 0;
  for (let i = 0; i < x.length; i++) {
    const dx = (x[i] as number) - centreX;
    const dy = (y[i] as number) - centreY;
    products += dx * dy;
    squaresX += dx * dx;
    squaresY += dy * dy;
  }
  return products / Math.sqrt(squaresX * squaresY);
}

/** Spearman's rho: Pearson's correlation of the average ranks; NaN if one side is constant. */
export function spearman(x: ArrayLike<number>, y: ArrayLike<number>): number {
  return pearson(averageRanks(x), averageRanks(y));
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface BootstrapOptions {
  /** Names the draw, so that an interval can be computed again exactly. */
  readonly stream: RandomStream;
  readonly resamples?: number;
  /** Coverage, 0.95 unless told. */
  readonly level?: number;
}

/** Percentile bootstrap interval of `statistic` over resamples of `values` with replacement (Efron 1979). */
export function bootstrapInterval(
  values: ArrayLike<number>,
  statistic: (sample: Float64Array) => number,
  { stream, resamples = 1000, level = 0.95 }: BootstrapOptions,
): Interval {
  const sample = new Float64Array(values.length);
  const statistics = Float64Array.from({ length: resamples }, () => {
    for (let i = 0; i < sample.length; i++) sample[i] = values[stream.integer(sample.length)] as number;
    return statistic(sample);
  });
  return { low: quantile(statistics, (1 - level) / 2), high: quantile(statistics, (1 + level) / 2) };
}

/** Percentile bootstrap interval of Spearman's rho over resamples of the pairs (x[n], y[n]); sorts them only once. */
export function spearmanInterval(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  options: BootstrapOptions,
): Interval {
  const places = Uint32Array.from({ length: x.length }, (_, n) => n);
  const [orderX, orderY] = [ascendingOrder(x), ascendingOrder(y)];
  const counts = new Uint32Array(x.length);
  const rho = (sample: Float64Array): number => {
    counts.fill(0);
    for (const n of sample) counts[n] = (counts[n] as number) + 1;
    const ranksX = multisetRanks(x, orderX, counts);
    const ranksY = multisetRanks(y, orderY, counts);
    return pearson(
      sample.map((n) => ranksX[n] as number),
      sample.map((n) => ranksY[n] as number),
    );
  };
  return bootstrapInterval(places, rho, options);
}

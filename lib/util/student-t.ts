import { type Interval, mean, standardError } from "./statistics.js";

/**
 * P(T > t) of Student's t with a whole number of degrees of freedom ν, by the finite sums of Abramowitz and Stegun,
 * 26.7.3 and 26.7.4, with θ = atan(|t| / √ν):
 *
 *     ν even: P(|T| <= |t|) = sin θ (1 + 1/2 cos²θ + (1·3)/(2·4) cos⁴θ + ... up to cos^(ν-2) θ)
 *     ν odd:  P(|T| <= |t|) = 2/π (θ + sin θ (cos θ + 2/3 cos³θ + (2·4)/(3·5) cos⁵θ + ... up to cos^(ν-2) θ))
 */
export function studentTail(t: number, degrees: number): number {
  const angle = Math.atan(Math.abs(t) / Math.sqrt(degrees));
  const square = Math.cos(angle) ** 2;
  const odd = degrees % 2;
  let sum = 0;
  let term = odd === 1 ? Math.cos(angle) : 1;
  for (let power = odd; power <= degrees - 2; power += 2) {
    sum += term;
    term *= (square * (power + 1)) / (power + 2);
  }
  const inside = Math.sin(angle) * sum;
  const tail = (1 - (odd === 1 ? (2 / Math.PI) * (angle + inside) : inside)) / 2;
  return t < 0 ? 1 - tail : tail;
}

/** The t of which P(T <= t) is p, for p from 0.5 to below 1, by halving an interval until it is as narrow as a number. */
export function studentQuantile(p: number, degrees: number): number {
  let low = 0;
  let high = 1;
  while (studentTail(high, degrees) > 1 - p) high *= 2;
  for (let middle = high / 2; middle > low && middle < high; middle = (low + high) / 2) {
    if (studentTail(middle, degrees) > 1 - p) low = middle;
    else high = middle;
  }
  return high;
}

/** A mean, and how far off it may be. */
export interface Estimate {
  readonly mean: number;
  /** Standard error; NaN where nothing tells it. */
  readonly error: number;
  /** Degrees of freedom of the error, a whole number. */
  readonly degrees: number;
}

/**
 * The mean of what `values` are drawn from, with the standard error that they show, e1 = s / sqrt(n). An error e2 of
 * another source, independent of it and known from d2 degrees of freedom, adds in squares, and the degrees of freedom
 * are those of Satterthwaite (1946), rounded down:
 *
 *     e² = e1² + e2²,   d = e⁴ / (e1⁴/(n - 1) + e2⁴/d2)
 */
export function estimateOf(
  values: readonly number[],
  other: { readonly error: number; readonly degrees: number } = { error: 0, degrees: 1 },
): Estimate {
  const own = { error: standardError(values), degrees: values.length - 1 };
  const error = Math.hypot(own.error, other.error);
  const fourths = own.error ** 4 / own.degrees + other.error ** 4 / other.degrees;
  // A hair above, so that n - 1 stays n - 1 where there is no other error.
  const degrees = error === 0 ? own.degrees : Math.floor(error ** 4 / fourths + 1e-9);
  return { mean: mean(values), error, degrees };
}

/**
 * p-value of the one-sided t-test of the hypothesis that what is estimated is at most `bound`; NaN where nothing tells the
 * error. Without any error it is decided by the side of the bound that the mean is on.
 */
export function pValueAbove({ mean: centre, error, degrees }: Estimate, bound: number): number {
  if (Number.isNaN(error)) return NaN;
  if (error === 0) return centre > bound ? 0 : 1;
  return studentTail((centre - bound) / error, degrees);
}

/** Interval around an estimate by Student's t, which covers what is estimated with the probability `level`. */
export function estimateInterval({ mean: centre, error, degrees }: Estimate, level: number): Interval {
  const half = Number.isNaN(error) ? NaN : studentQuantile((1 + level) / 2, degrees) * error;
  return { low: centre - half, high: centre + half };
}

/**
 * p-values corrected for their number by Holm's step-down method (1979): with p(1) <= ... <= p(m) the i-th becomes
 *
 *     max_{j <= i} min(1, (m - j + 1) p(j))
 *
 * Taking as true what is then at most α, at least one wrong one is among them with a probability of at most α,
 * whatever depends on what.
 */
export function holmAdjusted(pValues: readonly number[]): number[] {
  const order = [...pValues.keys()].sort((a, b) => (pValues[a] as number) - (pValues[b] as number));
  const adjusted = pValues.slice();
  let largest = 0;
  order.forEach((place, i) => {
    largest = Math.max(largest, Math.min(1, (pValues.length - i) * (pValues[place] as number)));
    adjusted[place] = largest;
  });
  return adjusted;
}

/** Interval of the mean of `values` by Student's t, which covers it with the probability `level`; NaN below two values. */
export function meanInterval(values: readonly number[], level = 0.95): Interval {
  return estimateInterval(estimateOf(values), level);
}

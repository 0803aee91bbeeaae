import { correctness } from "./probabilities.js";
import { firstInformedTimestep } from "./subtrace.js";
import type { Trace } from "./trace.js";

export interface Overthinking {
  /** Share right at some earlier timestep but wrong at the last. */
  readonly destructive: number;
  /** Share right at the last timestep and at some earlier one already. */
  readonly wasteful: number;
  /** Share right at some timestep that has seen the image: what a perfect stopping rule would reach. */
  readonly oracleAccuracy: number;
}

/**
 * Overthinking (Kaya et al. 2019), with right[t, n] whether example n is right at t, b the first timestep whose
 * answer depends on the image (a blind answer that happens to be right is no thought), and
 * early[n] = ∃ t: b <= t < T - 1 and right[t, n]:
 *
 *     destructive = 1/N Σ_n [early[n] and not right[T-1, n]],   wasteful = 1/N Σ_n [early[n] and right[T-1, n]]
 */
export function overthinking(trace: Trace): Overthinking {
  const { timesteps, examples } = trace;
  const correct = correctness(trace);
  const informed = firstInformedTimestep(trace) * examples;
  const last = (timesteps - 1) * examples;
  let destructive = 0;
  let wasteful = 0;
  let oracle = 0;
  for (let n = 0; n < examples; n++) {
    const rightAtLast = correct[last + n] === 1;
    let early = false;
    for (let row = informed + n; row < last && !early; row += examples) early = correct[row] === 1;
    if (early && !rightAtLast) destructive++;
    if (early && rightAtLast) wasteful++;
    if (early || rightAtLast) oracle++;
  }
  return {
    destructive: destructive / examples,
    wasteful: wasteful / examples,
    oracleAccuracy: oracle / examples,
  };
}

import { UserError } from "../util/errors.js";
import { confidences } from "./probabilities.js";
import { pointOfTimes, type SpeedAccuracyPoint } from "./speed-accuracy-curve.js";
import { assertValidation, type ValidationTrace } from "./split.js";
import { timesReaching } from "./stopping-time.js";
import type { Trace } from "./trace.js";

/** Shares of a geometric law are asked for from "nearly all at once" to "nearly none but at the end". */
const GEOMETRIC_RATIOS: readonly number[] = Array.from({ length: 40 }, (_, i) => 1.2 ** (i - 20));

/**
 * Share of the examples that is to be answered at each timestep, [T], geometric in time (Huang et al. 2018):
 *
 *     share[t] = q^t / Σ_s q^s
 */
export function geometricShares(timesteps: number, q: number): Float64Array {
  const shares = Float64Array.from({ length: timesteps }, (_, t) => q ** t);
  const sum = shares.reduce((total, share) => total + share, 0);
  return shares.map((share) => share / sum);
}

/**
 * Thresholds, one a timestep, [T], under which shares [T] of the validation images are answered at each timestep (the
 * budgeted batch of Huang et al. 2018): of those still waiting the ones of the highest signal, confidence unless told, are
 * answered, as many as the share says. The last threshold is 0. Throws a UserError where the shares do not sum to 1.
 */
export function budgetedThresholds(
  heldOut: ValidationTrace,
  shares: ArrayLike<number>,
  signalOf: (trace: Trace) => Float64Array = confidences,
): Float64Array {
  assertValidation(heldOut, "thresholds are chosen");
  const { timesteps, examples } = heldOut;
  assertShares(shares, timesteps);
  const signal = signalOf(heldOut);
  let waiting = Int32Array.from({ length: examples }, (_, n) => n);
  const thresholds = new Float64Array(timesteps);
  for (let t = 0; t < timesteps - 1; t++) {
    const own = (n: number): number => signal[t * examples + n] as number;
    waiting.sort((a, b) => own(b) - own(a));
    const answered = Math.min(waiting.length, Math.round((shares[t] as number) * examples));
    const least = waiting[answered - 1];
    thresholds[t] = least === undefined ? Infinity : own(least);
    waiting = waiting.filter((n) => own(n) < (thresholds[t] as number));
  }
  return thresholds;
}

function assertShares(shares: ArrayLike<number>, timesteps: number): void {
  const sum = Array.from(shares).reduce((total, share) => total + share, 0);
  if (shares.length === timesteps && Math.abs(sum - 1) < 1e-9) return;
  throw new UserError(
    `there must be a share for each of ${timesteps} timesteps, together 1; there are ${shares.length}, together ${sum}`,
  );
}

/**
 * Speed and accuracy in the budgeted batch setting: for each ratio q, thresholds of the validation images applied to the
 * trace of the test images. `threshold` of a point is its q.
 */
export function budgetedBatchCurve(
  heldOut: ValidationTrace,
  test: Trace,
  ratios: readonly number[] = GEOMETRIC_RATIOS,
  signalOf: (trace: Trace) => Float64Array = confidences,
): SpeedAccuracyPoint[] {
  const signal = signalOf(test);
  return ratios.map((q) => {
    const levels = budgetedThresholds(heldOut, geometricShares(heldOut.timesteps, q), signalOf);
    return pointOfTimes(test, q, timesReaching(signal, test.examples, levels));
  });
}

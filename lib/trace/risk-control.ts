import { UserError } from "../util/errors.js";
import { binomialCdf } from "../util/statistics.js";
import { correctness } from "./probabilities.js";
import { THRESHOLDS } from "./speed-accuracy-curve.js";
import { assertValidation, type ValidationTrace } from "./split.js";
import { type StoppingSignal, stoppingRule, stoppingSignal, stoppingTimesOfSignal } from "./stopping-time.js";

/** What risk a threshold has to keep. */
export interface RiskControl {
  /** Which signal stops; one whose level is a threshold from 0 to 1. */
  readonly signal?: Exclude<StoppingSignal, "patience" | "deadline">;
  /** Largest tolerated risk ε, a share of the examples. */
  readonly risk: number;
  /** Probability δ that the risk is above ε all the same, over draws of the validation images. */
  readonly failure?: number;
}

/**
 * The boldest threshold whose risk is controlled (Jazbec et al. 2024, learn then test of Angelopoulos et al. 2021). The
 * risk is to stop at a wrong answer where waiting to the end would have given the right one,
 *
 *     R(λ) = P(wrong when stopped under λ, right at the last step),   P(R(λ̂) > ε) <= δ
 *
 * Thresholds are tested from the most cautious one on, each against "R(λ) > ε" by the exact binomial test with
 * p = P(Binomial(N, ε) <= N R̂(λ)), and the last before the first that fails is taken: a fixed sequence of tests needs no
 * further correction. Undefined where even the most cautious one fails: too few images, or ε too small.
 */
export function riskControlledThreshold(
  heldOut: ValidationTrace,
  { signal: kind = "confidence", risk, failure = 0.05 }: RiskControl,
): number | undefined {
  assertValidation(heldOut, "a threshold is chosen");
  if (!(risk > 0 && risk < 1 && failure > 0 && failure < 1)) {
    throw new UserError(
      `a risk and its probability of failing lie between 0 and 1, not at ${risk} and ${failure}`,
    );
  }
  const { examples, timesteps } = heldOut;
  const signal = stoppingSignal(heldOut, kind);
  const correct = correctness(heldOut);
  const last = (timesteps - 1) * examples;
  let controlled: number | undefined;
  for (const threshold of fromCautious(kind)) {
    const times = stoppingTimesOfSignal(signal, examples, stoppingRule(kind, threshold));
    const losses = times.filter((t, n) => correct[t * examples + n] === 0 && correct[last + n] === 1).length;
    if (binomialCdf(losses, examples, risk) > failure) return controlled;
    controlled = threshold;
  }
  return controlled;
}

/** High confidence or margin is cautious, but low entropy. */
function fromCautious(kind: StoppingSignal): readonly number[] {
  return kind === "entropy" ? THRESHOLDS : THRESHOLDS.toReversed();
}

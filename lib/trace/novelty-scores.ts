import { confidences, mapProbabilities, normalizedEntropy } from "./probabilities.js";
import { logSumExpRow } from "../util/softmax.js";
import type { Trace } from "./trace.js";

/** Scores [N] of one timestep, high where an image seems out of distribution: unlike those that were trained on. */

/** One less the maximum softmax probability, 1 - max_k p[t, n, k] (Hendrycks and Gimpel 2017). */
export function oneMinusMaxProbability(trace: Trace, t: number): Float64Array {
  return atTimestep(trace, confidences(trace), t).map((confidence) => 1 - confidence);
}

/** Entropy of the probabilities divided by log K, from 0 to 1. */
export function entropyScore(trace: Trace, t: number): Float64Array {
  return atTimestep(trace, mapProbabilities(trace, normalizedEntropy), t);
}

/**
 * Free energy of the logits (Liu et al. 2020):
 *
 *     E[n] = -log Σ_k exp(logits[t, n, k])
 */
export function energy({ logits, examples, classes }: Trace, t: number): Float64Array {
  return Float64Array.from(
    { length: examples },
    (_, n) => -logSumExpRow(logits, (t * examples + n) * classes, classes),
  );
}

function atTimestep({ examples }: Trace, values: Float64Array, t: number): Float64Array {
  return values.slice(t * examples, (t + 1) * examples);
}

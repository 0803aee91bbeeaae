import { softmaxRow } from "../util/softmax.js";
import { assertValidation, type ValidationTrace } from "./split.js";
import type { Trace } from "./trace.js";

/** Temperatures are looked for between the inverse of this and this. */
const HOTTEST = 100;
/** Halvings of the search: leaves a relative error of 1e-12. */
const HALVINGS = 45;

/**
 * Temperature of each timestep, [T] (Guo et al. 2017): the τ that gives the held-out labels the highest likelihood under
 * softmax(logits / τ). The likelihood is concave in β = 1/τ, so its slope
 *
 *     d/dβ 1/N Σ_n log p_β[n, label[n]] = 1/N Σ_n (l[n, label[n]] - Σ_k p_β[n, k] l[n, k])
 *
 * falls and is halved in log β. Between 1/100 and 100, where the best lies beyond.
 */
export function fitTemperatures(heldOut: ValidationTrace): Float64Array {
  assertValidation(heldOut, "temperatures are fitted");
  return Float64Array.from({ length: heldOut.timesteps }, (_, t) => {
    let [low, high] = [-Math.log(HOTTEST), Math.log(HOTTEST)];
    for (let i = 0; i < HALVINGS; i++) {
      const middle = (low + high) / 2;
      if (likelihoodSlope(heldOut, t, Math.exp(middle)) > 0) low = middle;
      else high = middle;
    }
    return Math.exp(-(low + high) / 2);
  });
}

function likelihoodSlope({ examples, classes, logits, labels }: Trace, t: number, beta: number): number {
  const probs = new Float64Array(classes);
  let slope = 0;
  for (let n = 0; n < examples; n++) {
    const own = logits.subarray((t * examples + n) * classes, (t * examples + n + 1) * classes);
    softmaxRow(
      Float64Array.from(own, (logit) => beta * logit),
      0,
      probs,
    );
    slope += own[labels[n] as number] as number;
    for (let k = 0; k < classes; k++) slope -= (probs[k] as number) * (own[k] as number);
  }
  return slope / examples;
}

/** The trace with the logits of each timestep divided by its temperature, [T]; answers stay the same. */
export function withTemperatures(trace: Trace, temperatures: ArrayLike<number>): Trace {
  const row = trace.examples * trace.classes;
  return {
    ...trace,
    logits: Float64Array.from(
      trace.logits,
      (logit, i) => logit / (temperatures[Math.floor(i / row)] as number),
    ),
  };
}

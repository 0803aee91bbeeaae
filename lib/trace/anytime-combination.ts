import { confidences } from "./probabilities.js";
import { softmaxRow } from "../util/softmax.js";
import type { Trace } from "./trace.js";

/** A logit whose softmax is exactly 0 beside any probability that is not: what log 0 becomes, since logits are finite. */
const IMPOSSIBLE = -1e4;

/**
 * Product anytime (Jazbec et al. 2023), a trained network made nearly monotone: the answer at t is the product of the
 * answers so far, with ReLU in the place of the exponential, so that a class that was ruled out stays ruled out,
 *
 *     p[t, n, k] ∝ Π_{s <= t} max(0, l[s, n, k])^(w[s]),   w[s] = (s + 1) / T
 *
 * and softmax(l[t, n]) where every class has been ruled out. Gives a trace of log p.
 */
export function productAnytime(trace: Trace): Trace {
  const { timesteps, examples, classes } = trace;
  const logits = new Float64Array(trace.logits.length);
  const product = new Float64Array(examples * classes);
  const row = examples * classes;
  for (let t = 0; t < timesteps; t++) {
    const weight = (t + 1) / timesteps;
    for (let i = 0; i < row; i++) {
      product[i] =
        (product[i] as number) + weight * Math.log(Math.max(0, trace.logits[t * row + i] as number));
    }
    for (let start = 0; start < row; start += classes) {
      const survivors = product.subarray(start, start + classes);
      const anySurvives = survivors.some((value) => value > -Infinity);
      const source = anySurvives
        ? survivors
        : trace.logits.subarray(t * row + start, t * row + start + classes);
      logits.set(logSoftmax(source), t * row + start);
    }
  }
  return { ...trace, logits };
}

function logSoftmax(values: ArrayLike<number>): Float64Array {
  return softmaxRow(values, 0, new Float64Array(values.length)).map((p) => Math.max(IMPOSSIBLE, Math.log(p)));
}

/**
 * Caching anytime (as compared with by Jazbec et al. 2023): the answer at t is the most confident one so far, the latest
 * among equals.
 */
export function cachingAnytime(trace: Trace): Trace {
  const { timesteps, examples, classes } = trace;
  const confidence = confidences(trace);
  const logits = trace.logits.slice();
  const best = Int32Array.from({ length: examples }, (_, n) => n);
  for (let row = examples; row < timesteps * examples; row++) {
    const n = row % examples;
    const before = best[n] as number;
    if ((confidence[row] as number) >= (confidence[before] as number)) best[n] = row;
    const from = (best[n] as number) * classes;
    logits.set(trace.logits.subarray(from, from + classes), row * classes);
  }
  return { ...trace, logits };
}

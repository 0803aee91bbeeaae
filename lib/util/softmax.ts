import { lastAxis } from "./shapes.js";

/**
 * Softmax of the K logits from `start` on, into `probs` [K], shifted by the largest so that nothing overflows:
 *
 *     p[k] = exp(l[k] - max l) / Σ_j exp(l[j] - max l)
 */
export function softmaxRow(logits: ArrayLike<number>, start: number, probs: Float64Array): Float64Array {
  const largest = logits[start + argmaxRow(logits, start, probs.length)] as number;
  let sum = 0;
  for (let k = 0; k < probs.length; k++) {
    const exponential = Math.exp((logits[start + k] as number) - largest);
    probs[k] = exponential;
    sum += exponential;
  }
  for (let k = 0; k < probs.length; k++) probs[k] = (probs[k] as number) / sum;
  return probs;
}

/** log Σ_k exp(l[k]) of the K logits from `start` on, shifted by the largest so that nothing overflows. */
export function logSumExpRow(logits: ArrayLike<number>, start: number, classes: number): number {
  const largest = logits[start + argmaxRow(logits, start, classes)] as number;
  let sum = 0;
  for (let k = 0; k < classes; k++) sum += Math.exp((logits[start + k] as number) - largest);
  return largest + Math.log(sum);
}

/** Class of the largest of the K values from `start` on; the first among equals. */
export function argmaxRow(values: ArrayLike<number>, start: number, classes: number): number {
  let best = 0;
  for (let k = 1; k < classes; k++) {
    if ((values[start + k] as number) > (values[start + best] as number)) best = k;
  }
  return best;
}

/** Softmax over the last axis: [rows, K] -> [rows, K]. A UserError where the logits do not divide into rows. */
export function softmax(logits: ArrayLike<number>, classes: number): Float64Array {
  if (logits.length > 0) lastAxis(logits.length, { classes });
  const probs = new Float64Array(logits.length);
  for (let start = 0; start < logits.length; start += classes) {
    softmaxRow(logits, start, probs.subarray(start, start + classes));
  }
  return probs;
}

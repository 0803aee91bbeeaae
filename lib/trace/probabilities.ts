import type { Trace } from "./trace.js";

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

/** Class of the largest of the K values from `start` on; the first among equals. */
export function argmaxRow(values: ArrayLike<number>, start: number, classes: number): number {
  let best = 0;
  for (let k = 1; k < classes; k++) {
    if ((values[start + k] as number) > (values[start + best] as number)) best = k;
  }
  return best;
}

/** Softmax over the last axis: [rows, K] -> [rows, K]. */
export function softmax(logits: ArrayLike<number>, classes: number): Float64Array {
  const probs = new Float64Array(logits.length);
  for (let start = 0; start < logits.length; start += classes) {
    softmaxRow(logits, start, probs.subarray(start, start + classes));
  }
  return probs;
}

/** Softmax probabilities of the whole trace, [T, N, K]. */
export function probabilities({ logits, classes }: Trace): Float64Array {
  return softmax(logits, classes);
}

/** Confidence: the largest probability, max_k p[t, n, k], as [T, N]. */
export function confidences(trace: Trace): Float64Array {
  return mapProbabilities(trace, (probs) => probs[argmaxRow(probs, 0, probs.length)] as number);
}

/** Value of `measure` at each probability vector [K] of the trace, as [T, N]; the vector is reused between calls. */
export function mapProbabilities(trace: Trace, measure: (probs: Float64Array) => number): Float64Array {
  const probs = new Float64Array(trace.classes);
  return Float64Array.from({ length: trace.timesteps * trace.examples }, (_, row) =>
    measure(softmaxRow(trace.logits, row * trace.classes, probs)),
  );
}

/** Entropy of probabilities [K] divided by its largest value, log K: -Σ_k p[k] log p[k] / log K. */
export function normalizedEntropy(probs: Float64Array): number {
  return probs.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0) / Math.log(probs.length);
}

/** The most probable class, [T, N]; the first among equals. */
export function predictions({ logits, timesteps, examples, classes }: Trace): Int32Array {
  return Int32Array.from({ length: timesteps * examples }, (_, row) =>
    argmaxRow(logits, row * classes, classes),
  );
}

/** 1 where the most probable class is the label, else 0, as [T, N]. */
export function correctness(trace: Trace): Uint8Array {
  return Uint8Array.from(predictions(trace), (predicted, row) =>
    predicted === trace.labels[row % trace.examples] ? 1 : 0,
  );
}

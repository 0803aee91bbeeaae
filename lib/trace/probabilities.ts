import { argmaxRow, softmax, softmaxRow } from "../util/softmax.js";
import { assertShape, assertShapeAndLabels, type Trace } from "./trace.js";

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
  assertShape(trace);
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
export function predictions(trace: Trace): Int32Array {
  assertShape(trace);
  const { logits, timesteps, examples, classes } = trace;
  return Int32Array.from({ length: timesteps * examples }, (_, row) =>
    argmaxRow(logits, row * classes, classes),
  );
}

/** 1 where the most probable class is the label, else 0, as [T, N]. */
export function correctness(trace: Trace): Uint8Array {
  assertShapeAndLabels(trace);
  return Uint8Array.from(predictions(trace), (predicted, row) =>
    predicted === trace.labels[row % trace.examples] ? 1 : 0,
  );
}

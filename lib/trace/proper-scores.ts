import { logSumExpRow, softmaxRow } from "../util/softmax.js";
import { assertShapeAndLabels, type Trace } from "./trace.js";

/**
 * Negative log-likelihood of the label at each timestep, in nats, [T]:
 *
 *     NLL[t] = -1/N Σ_n log p[t, n, label[n]]
 *
 * from the logits directly, log p = l - log Σ_k exp(l[k]), so that no probability underflows.
 */
export function negativeLogLikelihood(trace: Trace): Float64Array {
  const { classes, logits } = trace;
  return meanOverExamples(
    trace,
    (start, label) => logSumExpRow(logits, start, classes) - (logits[start + label] as number),
  );
}

/**
 * Brier score at each timestep, [T], from 0 to 2 (Brier 1950):
 *
 *     Brier[t] = 1/N Σ_n Σ_k (p[t, n, k] - [k = label[n]])²
 */
export function brierScore(trace: Trace): Float64Array {
  const probs = new Float64Array(trace.classes);
  return meanOverExamples(trace, (start, label) =>
    softmaxRow(trace.logits, start, probs).reduce((sum, p, k) => sum + (p - (k === label ? 1 : 0)) ** 2, 0),
  );
}

/** Mean of a score over the examples, at each timestep; it is given where an example's logits start, and its label. */
function meanOverExamples(trace: Trace, score: (start: number, label: number) => number): Float64Array {
  assertShapeAndLabels(trace);
  const { timesteps, examples, classes, labels } = trace;
  return Float64Array.from({ length: timesteps }, (_, t) => {
    let sum = 0;
    for (let n = 0; n < examples; n++) sum += score((t * examples + n) * classes, labels[n] as number);
    return sum / examples;
  });
}

import { softmaxRow } from "../util/softmax.js";
import { assertShapeAndLabels, type Trace } from "./trace.js";

/**
 * Negative log-likelihood of the label at each timestep, in nats, [T]:
 *
 *     NLL[t] = -1/N Σ_n log p[t, n, label[n]]
 *
 * from the logits directly, log p = l - log Σ_k exp(l[k]), so that no probability underflows.
 */
export function negativeLogLikelihood(trace: Trace): Float64Array {
  return meanOverExamples(trace, (probs, label, logits, start) => {
    // The label's log-probability, by way of the most probable class, whose probability is never tiny.
    const best = probs.indexOf(Math.max(...probs));
    return (
      (logits[start + best] as number) - (logits[start + label] as number) - Math.log(probs[best] as number)
    );
  });
}

/**
 * Brier score at each timestep, [T], from 0 to 2 (Brier 1950):
 *
 *     Brier[t] = 1/N Σ_n Σ_k (p[t, n, k] - [k = label[n]])²
 */
export function brierScore(trace: Trace): Float64Array {
  return meanOverExamples(trace, (probs, label) =>
    probs.reduce((sum, p, k) => sum + (p - (k === label ? 1 : 0)) ** 2, 0),
  );
}

function meanOverExamples(
  trace: Trace,
  score: (probs: Float64Array, label: number, logits: ArrayLike<number>, start: number) => number,
): Float64Array {
  assertShapeAndLabels(trace);
  const { timesteps, examples, classes, logits, labels } = trace;
  const probs = new Float64Array(classes);
  return Float64Array.from({ length: timesteps }, (_, t) => {
    let sum = 0;
    for (let n = 0; n < examples; n++) {
      const start = (t * examples + n) * classes;
      sum += score(softmaxRow(logits, start, probs), labels[n] as number, logits, start);
    }
    return sum / examples;
  });
}

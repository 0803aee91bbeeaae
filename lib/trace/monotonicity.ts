import { softmaxRow } from "../util/softmax.js";
import { assertShapeAndLabels, type Trace } from "./trace.js";

/**
 * The largest fall of the probability of the label over time, for each example, [N] (conditional monotonicity, Jazbec et
 * al. 2023): 0 where more time never makes the answer worse,
 *
 *     fall[n] = max_{s <= t} (p[s, n, label[n]] - p[t, n, label[n]])
 */
export function labelProbabilityFalls(trace: Trace): Float64Array {
  assertShapeAndLabels(trace);
  const { timesteps, examples, classes, logits, labels } = trace;
  const probs = new Float64Array(classes);
  return Float64Array.from({ length: examples }, (_, n) => {
    let highest = 0;
    let fall = 0;
    for (let t = 0; t < timesteps; t++) {
      const p = softmaxRow(logits, (t * examples + n) * classes, probs)[labels[n] as number] as number;
      highest = Math.max(highest, p);
      fall = Math.max(fall, highest - p);
    }
    return fall;
  });
}

/** Share of the examples whose label's probability falls by more than `tolerance` at some time. */
export function monotonicityViolations(trace: Trace, tolerance: number): number {
  return labelProbabilityFalls(trace).filter((fall) => fall > tolerance).length / trace.examples;
}

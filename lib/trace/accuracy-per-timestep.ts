import { table, type ColumnTable } from "arquero";
import { correctness } from "./probabilities.js";
import type { Trace } from "./trace.js";

/**
 * Share of the examples whose most probable class is the label, at each timestep, [T]:
 *
 *     accuracy[t] = 1/N Σ_n [argmax_k logits[t, n, k] = label[n]]
 */
export function accuracyPerTimestep(trace: Trace): Float64Array {
  const { timesteps, examples } = trace;
  const correct = correctness(trace);
  return Float64Array.from({ length: timesteps }, (_, t) => {
    const right = correct.subarray(t * examples, (t + 1) * examples).reduce((sum, one) => sum + one, 0);
    return right / examples;
  });
}

/** Accuracy at the last timestep, the one that is reached without time pressure. */
export function asymptoticAccuracy(trace: Trace): number {
  return accuracyPerTimestep(trace)[trace.timesteps - 1] as number;
}

/**
 * Table with one row a timestep: [model,] timestep, accuracy, standardError (binomial, over examples), examples
 * [, multiplyAdds (cumulative, an image)]; the columns in brackets where the trace knows them.
 */
export function accuracyTable(trace: Trace): ColumnTable {
  const accuracy = accuracyPerTimestep(trace);
  return table({
    ...(trace.model !== undefined && { model: Array.from(accuracy, () => trace.model) }),
    timestep: Int32Array.from(accuracy.keys()),
    accuracy,
    standardError: accuracy.map((p) => Math.sqrt((p * (1 - p)) / trace.examples)),
    examples: new Int32Array(trace.timesteps).fill(trace.examples),
    ...(trace.cost && { multiplyAdds: Float64Array.from(trace.cost.multiplyAdds) }),
  });
}

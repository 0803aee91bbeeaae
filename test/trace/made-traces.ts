import fc from "fast-check";
import { recipeTrace } from "../../lib/experiments/parity/recipe-trace.js";
import type { Trace } from "../../lib/trace/trace.js";

/** A trace whose probabilities are those given, [T][N][K], by logits = log p. */
export function traceOfProbabilities(
  probabilities: readonly (readonly (readonly number[])[])[],
  labels: number[],
): Trace {
  return {
    timesteps: probabilities.length,
    examples: labels.length,
    classes: probabilities[0]?.[0]?.length ?? 0,
    logits: Float64Array.from(probabilities.flat(2), Math.log),
    labels: Int32Array.from(labels),
    ids: Int32Array.from(labels.keys()),
  };
}

/** The traces of the recipe in many small shapes, some with costs. */
export const smallTraces: fc.Arbitrary<Trace> = fc
  .record({
    T: fc.integer({ min: 1, max: 6 }),
    N: fc.integer({ min: 1, max: 20 }),
    K: fc.integer({ min: 2, max: 6 }),
    costly: fc.boolean(),
  })
  .map(({ T, N, K, costly }) => ({
    ...recipeTrace(T, N, K).trace,
    ...(costly && { cost: { multiplyAdds: Array.from({ length: T }, (_, t) => 10 * t * t) } }),
  }));

/** A copy of `values` in which place `i` holds `value`. */
export function changed<Values extends number[] | Int32Array | Uint8Array | Float32Array | Float64Array>(
  values: Values,
  i: number,
  value: number,
): Values {
  const copy = values.slice() as Values;
  copy[i] = value;
  return copy;
}

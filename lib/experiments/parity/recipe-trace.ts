import { type Trace, validateTrace } from "../../trace/trace.js";
import { recipeUniform } from "../../util/recipe.js";

/** The trace of the reference numbers, remade from its recipe, and the ease [N] of its examples. */
export function recipeTrace(T: number, N: number, K: number): { trace: Trace; ease: Float64Array } {
  const ease = recipeUniform(2001, N);
  const labels = Int32Array.from({ length: N }, (_, n) => (7 * n + 3) % K);
  const logits = recipeUniform(2000, T * N * K).map((noise) => 3 * noise);
  for (let t = 0; t < T; t++) {
    for (let n = 0; n < N; n++) {
      const i = (t * N + n) * K + (labels[n] as number);
      logits[i] = (logits[i] as number) + 0.6 * t * (1 + (ease[n] as number));
    }
  }
  const ids = Int32Array.from({ length: N }, (_, n) => n);
  return { trace: validateTrace({ timesteps: T, examples: N, classes: K, logits, labels, ids }), ease };
}

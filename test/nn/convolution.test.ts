import assert from "node:assert/strict";
import { test } from "node:test";
import { convolveFilterGradient } from "../../lib/nn/ops.js";
import { tf } from "../../lib/nn/tensorflow.js";
import { recipeUniform } from "../../lib/util/recipe.js";

/** sum over images and positions of x[stride i, stride j, c] dy[i, j, k], in float64: [C C']. */
function pointwiseFilterGradient(
  x: Float32Array,
  dy: Float32Array,
  { rows, side, inputs, outputs }: { rows: number; side: number; inputs: number; outputs: number },
): Float64Array {
  const half = side / 2;
  const gradient = new Float64Array(inputs * outputs);
  for (let n = 0; n < rows; n++)
    for (let i = 0; i < half; i++)
      for (let j = 0; j < half; j++)
        for (let c = 0; c < inputs; c++)
          for (let k = 0; k < outputs; k++) {
            const value = x[((n * side + 2 * i) * side + 2 * j) * inputs + c] as number;
            const above = dy[((n * half + i) * half + j) * outputs + k] as number;
            gradient[c * outputs + k] = (gradient[c * outputs + k] as number) + value * above;
          }
  return gradient;
}

test("the filter gradient of a strided 1x1 convolution with few channels is right, time after time", () => {
  // These sizes once made TensorFlow write beyond a buffer, which ended the process sooner or later.
  const sizes = { rows: 13, side: 16, inputs: 8, outputs: 16 };
  const { rows, side, inputs, outputs } = sizes;
  const pixels = Float32Array.from(recipeUniform(1, rows * side * side * inputs));
  const above = Float32Array.from(recipeUniform(2, (rows * side * side * outputs) / 4));
  const expected = pointwiseFilterGradient(pixels, above, sizes);
  for (let repeat = 0; repeat < 50; repeat++) {
    const gradient = tf.tidy(() => {
      const x = tf.tensor4d(pixels, [rows, side, side, inputs]);
      const dy = tf.tensor4d(above, [rows, side / 2, side / 2, outputs]);
      return convolveFilterGradient(x, dy, [1, 1, inputs, outputs], 2, "float32").dataSync();
    });
    for (const [i, value] of expected.entries())
      assert.ok(Math.abs((gradient[i] as number) - value) < 1e-3, `place ${i} of repeat ${repeat}`);
  }
});

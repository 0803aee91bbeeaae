import assert from "node:assert/strict";
import { test } from "node:test";
import { kernels } from "../../lib/nn/backend/chosen-kernels.js";
import { hasOwnKernels } from "../../lib/nn/backend/kernel-level.js";
import { type Tensor, type Tensor2D, type Tensor4D, tf } from "../../lib/nn/tensorflow.js";
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
      return kernels.convolveFilterGradient(x, dy, [1, 1, inputs, outputs], 2, "float32").dataSync();
    });
    for (const [i, value] of expected.entries())
      assert.ok(Math.abs((gradient[i] as number) - value) < 1e-3, `place ${i} of repeat ${repeat}`);
  }
});

/** Sizes for each algorithm that convolutions are computed by. */
const SIZES = [
  { name: "direct", rows: 3, height: 8, width: 6, inputs: 5, outputs: 7, size: 3, stride: 1 },
  { name: "direct, stride 2", rows: 3, height: 8, width: 7, inputs: 5, outputs: 7, size: 3, stride: 2 },
  { name: "direct, 7x7", rows: 2, height: 15, width: 15, inputs: 3, outputs: 4, size: 7, stride: 2 },
  { name: "pointwise", rows: 3, height: 8, width: 8, inputs: 5, outputs: 7, size: 1, stride: 2 },
  {
    name: "direct, small maps",
    rows: 35,
    height: 2,
    width: 2,
    inputs: 6,
    outputs: 4,
    size: 3,
    stride: 1,
  },
  { name: "direct, one row", rows: 35, height: 1, width: 2, inputs: 6, outputs: 4, size: 3, stride: 1 },
  {
    name: "transformed, stride 2",
    rows: 41,
    height: 8,
    width: 4,
    inputs: 16,
    outputs: 48,
    size: 3,
    stride: 2,
  },
  {
    name: "transformed whole maps",
    rows: 43,
    height: 2,
    width: 2,
    inputs: 80,
    outputs: 32,
    size: 3,
    stride: 1,
  },
  { name: "Winograd", rows: 33, height: 8, width: 4, inputs: 32, outputs: 48, size: 3, stride: 1 },
  {
    name: "Winograd, wide",
    rows: 67,
    height: 4,
    width: 4,
    inputs: 256,
    outputs: 272,
    size: 3,
    stride: 1,
  },
];

for (const { name, rows, height, width, inputs, outputs, size, stride } of SIZES) {
  test(`fast convolution and its gradients, ${name}, equal those summed in double`, (context) => {
    if (!hasOwnKernels) {
      context.skip("the project's own kernels are not compiled");
      return;
    }
    tf.tidy(() => {
      const tensor = (seed: number, shape: Tensor4D["shape"]): Tensor4D =>
        tf.tensor4d(
          Float32Array.from(
            recipeUniform(
              seed,
              shape.reduce((a, b) => a * b, 1),
            ),
          ),
          shape,
        );
      const x = tensor(1, [rows, height, width, inputs]);
      const filter = tensor(2, [size, size, inputs, outputs]);
      const exact = kernels.convolve(x, filter, stride, "float64Sums");
      const folded = {
        gain: tf.tensor2d(Float32Array.from(recipeUniform(4, 3 * outputs)), [3, outputs]),
        bias: tf.tensor2d(Float32Array.from(recipeUniform(5, 3 * outputs)), [3, outputs]),
        rows: [1, rows - 3, 2],
        relu: rows % 2 === 1,
      };
      // Scaled and shifted on the way out or after: the same but for one rounding, where a processor does not fuse the two.
      assertNear(
        kernels.convolve(x, filter, stride, "float32", folded),
        kernels.scaleAndShift(kernels.convolve(x, filter, stride, "float32"), folded),
        2e-7,
      );
      const dy = tensor(3, exact.shape);
      // Sums of at most 7 x 7 x 3 or 3 x 3 x 256 products in float32.
      assertNear(kernels.convolve(x, filter, stride, "float32"), exact, 5e-6);
      assertNear(
        kernels.convolveInputGradient(dy, filter, x.shape, stride, "float32"),
        kernels.convolveInputGradient(dy, filter, x.shape, stride, "float64Sums"),
        5e-6,
      );
      assertNear(
        kernels.convolveFilterGradient(x, dy, filter.shape, stride, "float32"),
        kernels.convolveFilterGradient(x, dy, filter.shape, stride, "float64Sums"),
        5e-6,
      );
    });
  });
}

test("a ReLU on the way out of a convolution hides nothing that is not a number", (context) => {
  if (!hasOwnKernels) {
    context.skip("the project's own kernels are not compiled");
    return;
  }
  tf.tidy(() => {
    const values = Float32Array.from(recipeUniform(1, 33 * 4 * 4 * 16));
    values[0] = NaN;
    const x = tf.tensor4d(values, [33, 4, 4, 16]);
    const filter = tf.tensor4d(Float32Array.from(recipeUniform(2, 9 * 16 * 16)), [3, 3, 16, 16]);
    const gain: Tensor2D = tf.ones([1, 16]);
    const bias: Tensor2D = tf.zeros([1, 16]);
    const folded = { gain, bias, rows: [33], relu: true };
    const y = kernels.convolve(x, filter, 1, "float32", folded).dataSync<"float32">();
    const after = kernels
      .scaleAndShift(kernels.convolve(x, filter, 1, "float32"), folded)
      .dataSync<"float32">();
    assert.ok(y.subarray(0, 16).every(Number.isNaN));
    assert.deepEqual([...y].map(Number.isNaN), [...after].map(Number.isNaN));
  });
});

/** max |a - b| <= limit max |b| */
function assertNear(actual: Tensor, expected: Tensor, limit: number): void {
  assert.deepEqual(actual.shape, expected.shape);
  const b = expected.dataSync<"float32">();
  const difference = actual
    .dataSync<"float32">()
    .reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] as number))), 0);
  const error = difference / b.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  assert.ok(error <= limit, `relative error ${error}, limit ${limit}`);
}

test("rows of distinct steps that are not those of the input are refused", (context) => {
  if (!hasOwnKernels) {
    context.skip("the project's own kernels are not compiled");
    return;
  }
  tf.tidy(() => {
    const gain: Tensor2D = tf.ones([2, 4]);
    const steps = { gain, bias: gain, rows: [1, 1] };
    const refused = /the rows of the distinct steps add up to 2, the input is \[3,2,2,4\]/;
    const x: Tensor4D = tf.ones([3, 2, 2, 4]);
    assert.throws(() => kernels.scaleAndShift(x, { ...steps, relu: false }), refused);
    const filter: Tensor4D = tf.ones([1, 1, 4, 4]);
    assert.throws(() => kernels.convolve(x, filter, 1, "float32", { ...steps, relu: true }), refused);
  });
});

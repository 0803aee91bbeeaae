import assert from "node:assert/strict";
import { test } from "node:test";
import { kernels } from "../../lib/nn/backend/chosen-kernels.js";
import { hasOwnKernels } from "../../lib/nn/backend/kernel-level.js";
import { type Tensor2D, type Tensor4D, tf } from "../../lib/nn/tensorflow.js";
import { recipeUniform } from "../../lib/util/recipe.js";

const ROWS = [1, 6, 5];
const SIDE = 9;
const EPSILON = 1e-3;

/** One channel of one step by the equations of `normalize` and its gradient, in float64. */
function channelByHand(
  x: readonly number[],
  dy: readonly number[],
  scale: number,
  offset: number,
): { y: number[]; dx: number[]; mean: number; variance: number; dscale: number; doffset: number } {
  const n = x.length;
  const mean = x.reduce((a, b) => a + b, 0) / n;
  const variance = x.reduce((a, b) => a + (b - mean) ** 2, 0) / n;
  const deviation = Math.sqrt(variance + EPSILON);
  const normalized = x.map((value) => (value - mean) / deviation);
  const y = normalized.map((value) => Math.max(0, scale * value + offset));
  const passed = dy.map((value, i) => ((y[i] as number) > 0 ? value : 0));
  const doffset = passed.reduce((a, b) => a + b, 0);
  const dscale = passed.reduce((a, b, i) => a + b * (normalized[i] as number), 0);
  const dx = passed.map(
    (value, i) => (scale / deviation) * (value - doffset / n - ((normalized[i] as number) * dscale) / n),
  );
  return { y, dx, mean, variance, dscale, doffset };
}

// Few channels are worked on several positions at a time: 7 x 4 and 1 x 32 values; 33 are too many.
for (const channels of [1, 3, 4, 7, 16, 33]) {
  test(`batch norm by step and its gradient are their equations, ${channels} channels`, () => {
    const rows = ROWS.reduce((a, b) => a + b, 0);
    const values = (seed: number, count: number): Float32Array =>
      Float32Array.from(recipeUniform(seed, count));
    const count = rows * SIDE * SIDE * channels;
    const [x, dy] = [values(1, count), values(2, count)];
    const [scale, offset] = [values(3, ROWS.length * channels), values(4, ROWS.length * channels)];
    tf.tidy(() => {
      const shape: Tensor4D["shape"] = [rows, SIDE, SIDE, channels];
      const table = (numbers: Float32Array): Tensor2D => tf.tensor2d(numbers, [ROWS.length, channels]);
      const given = tf.tensor4d(x, shape);
      const steps = { rows: ROWS, epsilon: EPSILON, relu: true };
      const { y, ...statistics } = kernels.normalize(given, table(scale), table(offset), steps);
      const back = kernels.normalizeGradient(
        tf.tensor4d(dy, shape),
        given,
        table(scale),
        table(offset),
        statistics,
        steps,
      );
      const actual = {
        y: y.dataSync<"float32">(),
        dx: back.dx.dataSync<"float32">(),
        mean: statistics.mean.dataSync<"float32">(),
        variance: statistics.variance.dataSync<"float32">(),
        dscale: back.dscale.dataSync<"float32">(),
        doffset: back.doffset.dataSync<"float32">(),
      };
      let first = 0;
      for (const [d, stepRows] of ROWS.entries()) {
        for (let c = 0; c < channels; c++) {
          const places = Array.from({ length: stepRows * SIDE * SIDE }, (_, i) => (first + i) * channels + c);
          const pick = (from: Float32Array): number[] => places.map((i) => from[i] as number);
          const i = d * channels + c;
          const wanted = channelByHand(pick(x), pick(dy), scale[i] as number, offset[i] as number);
          const near = (value: number | undefined, target: number, what: string): void => {
            assert.ok(
              Math.abs((value ?? NaN) - target) < 2e-5 * Math.max(1, Math.abs(target)),
              `${what} of step ${d}, channel ${c}: ${value}, expected ${target}`,
            );
          };
          for (const [k, place] of places.entries()) {
            near(actual.y[place], wanted.y[k] as number, "y");
            near(actual.dx[place], wanted.dx[k] as number, "dx");
          }
          for (const what of ["mean", "variance", "dscale", "doffset"] as const)
            near(actual[what][i], wanted[what], what);
        }
        first += stepRows * SIDE * SIDE;
      }
    });
  });
}

test("what is not a number does not vanish in pooling or in batch statistics", (context) => {
  if (!hasOwnKernels) {
    context.skip("TensorFlow's own pooling drops it");
    return;
  }
  tf.tidy(() => {
    const values = new Float32Array(2 * 4 * 4 * 2).fill(1);
    values[0] = NaN;
    const x = tf.tensor4d(values, [2, 4, 4, 2]);
    const pooled = kernels.maxPool(x).dataSync<"float32">();
    assert.ok(Number.isNaN(pooled[0]));
    assert.ok(pooled.subarray(1).every((value) => value === 1));
    const ones: Tensor2D = tf.ones([1, 2]);
    const { mean, variance } = kernels.normalize(x, ones, ones, { rows: [2], epsilon: EPSILON, relu: false });
    assert.deepEqual([...mean.dataSync<"float32">()].map(Number.isNaN), [true, false]);
    assert.deepEqual([...variance.dataSync<"float32">()].map(Number.isNaN), [true, false]);
  });
});

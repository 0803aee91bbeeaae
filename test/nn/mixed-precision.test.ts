import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { planMerge } from "../../lib/nn/delay.js";
import { kernels } from "../../lib/nn/backend/chosen-kernels.js";
import { cast } from "../../lib/nn/backend/elementwise.js";
import { hasOwnKernels } from "../../lib/nn/backend/kernel-level.js";
import { dtypeOf } from "../../lib/nn/backend/native-operation.js";
import { type Tensor, type Tensor2D, type Tensor4D, tf } from "../../lib/nn/tensorflow.js";
import type { Timeline } from "../../lib/nn/timeline.js";
import { recipeUniform } from "../../lib/util/recipe.js";

/** Half the distance between neighbouring bfloat16 numbers, relative to them. */
const HALF_STEP = 2 ** -8;

function skipsWithoutKernels(context: TestContext): boolean {
  if (!hasOwnKernels) context.skip("the project's own kernels are not compiled");
  return !hasOwnKernels;
}

/** Uniform numbers that bfloat16 holds exactly, in both storages. */
function twins(seed: number, shape: Tensor4D["shape"]): { wide: Tensor4D; narrow: Tensor4D } {
  const count = shape.reduce((a, b) => a * b, 1);
  const narrow = cast(tf.tensor4d(Float32Array.from(recipeUniform(seed, count)), shape), "bfloat16");
  return { narrow, wide: cast(narrow, "float32") };
}

/** Every number lies within `relative` of the expected one, and within `absolute` where that is nearly zero. */
function assertNear(
  actual: Tensor,
  expected: Tensor,
  relative: number,
  absolute: number,
  what: string,
): void {
  const numbers = cast(actual, "float32").dataSync();
  const wanted = expected.dataSync();
  assert.equal(numbers.length, wanted.length, what);
  for (const [i, value] of numbers.entries()) {
    const target = wanted[i] as number;
    assert.ok(
      Math.abs(value - target) <= relative * Math.abs(target) + absolute,
      `${what}[${i}]: ${value}, expected ${target}`,
    );
  }
}

const SIZES = [
  { name: "stride 1", rows: 5, height: 6, width: 6, inputs: 20, outputs: 36, size: 3, stride: 1 },
  { name: "an odd side", rows: 3, height: 7, width: 5, inputs: 5, outputs: 70, size: 3, stride: 1 },
  { name: "many small maps", rows: 40, height: 4, width: 4, inputs: 40, outputs: 50, size: 3, stride: 1 },
  { name: "stride 2", rows: 5, height: 8, width: 8, inputs: 16, outputs: 24, size: 3, stride: 2 },
  { name: "stride 2, odd", rows: 2, height: 7, width: 9, inputs: 9, outputs: 17, size: 3, stride: 2 },
  { name: "pointwise", rows: 4, height: 8, width: 8, inputs: 16, outputs: 24, size: 1, stride: 2 },
  { name: "small maps", rows: 40, height: 2, width: 2, inputs: 16, outputs: 24, size: 3, stride: 1 },
];

for (const { name, rows, height, width, inputs, outputs, size, stride } of SIZES) {
  test(`bfloat16 convolution, ${name}, is that summed in double, rounded`, (context) => {
    if (skipsWithoutKernels(context)) return;
    tf.tidy(() => {
      const x = twins(1, [rows, height, width, inputs]);
      const filter = twins(2, [size, size, inputs, outputs]);
      const y = kernels.convolve(x.wide, filter.wide, stride, "float64Sums");
      const dy = twins(3, y.shape);
      const narrowY = kernels.convolve(x.narrow, filter.wide, stride, "mixed");
      assert.equal(dtypeOf(narrowY), "bfloat16");
      assertNear(narrowY, y, HALF_STEP, 1e-4, "y");
      const dx = kernels.convolveInputGradient(dy.narrow, filter.wide, x.wide.shape, stride, "mixed");
      assertNear(
        dx,
        kernels.convolveInputGradient(dy.wide, filter.wide, x.wide.shape, stride, "float64Sums"),
        HALF_STEP,
        1e-4,
        "dx",
      );
      const dw = kernels.convolveFilterGradient(x.narrow, dy.narrow, filter.wide.shape, stride, "mixed");
      assert.equal(dtypeOf(dw), "float32");
      const exact = kernels.convolveFilterGradient(x.wide, dy.wide, filter.wide.shape, stride, "float64Sums");
      // Parts of the sum are rounded once or more.
      assertNear(dw, exact, HALF_STEP, 0.05, "dw");
    });
  });
}

test("bfloat16 convolution that is to be summed in double is so, and is rounded once more", (context) => {
  if (skipsWithoutKernels(context)) return;
  tf.tidy(() => {
    const x = twins(1, [3, 5, 6, 4]);
    const filter = twins(2, [3, 3, 4, 7]).wide;
    const dy = twins(3, [3, 5, 6, 7]);
    const results = (kind: "wide" | "narrow") => [
      kernels.convolve(x[kind], filter, 1, "float64Sums"),
      kernels.convolveInputGradient(dy[kind], filter, x.wide.shape, 1, "float64Sums"),
      kernels.convolveFilterGradient(x[kind], dy[kind], filter.shape, 1, "float64Sums"),
    ];
    const narrow = results("narrow");
    for (const [i, wide] of results("wide").entries()) {
      const rounded = cast(cast(wide, i < 2 ? "bfloat16" : "float32"), "float32");
      assert.deepEqual(cast(narrow[i] as Tensor, "float32").dataSync(), rounded.dataSync());
    }
  });
});

/** Root of the mean squared difference, relative to that of the expected numbers. */
function relativeError(actual: Tensor, expected: Tensor): number {
  const difference = tf.sub(cast(actual, "float32"), expected);
  return (tf.norm(difference).dataSync()[0] as number) / (tf.norm(expected).dataSync()[0] as number);
}

/** What rounding to bfloat16 alone costs by that measure. */
const ROUNDING = 0.0017;

/** Convolutions of transformed tiles, whose products are of 16-bit integers where the processor multiplies these. */
const TRANSFORMED = [
  { name: "Winograd", rows: 33, side: 8, inputs: 32, outputs: 48, stride: 1 },
  { name: "Winograd, many channels", rows: 67, side: 4, inputs: 256, outputs: 80, stride: 1 },
  { name: "on whole maps", rows: 43, side: 2, inputs: 80, outputs: 32, stride: 1 },
  { name: "with stride 2", rows: 41, side: 8, inputs: 16, outputs: 96, stride: 2 },
];

for (const { name, rows, side, inputs, outputs, stride } of TRANSFORMED) {
  test(`bfloat16 convolution of transformed tiles, ${name}, is off by little more than the rounding of its result`, (context) => {
    if (skipsWithoutKernels(context)) return;
    tf.tidy(() => {
      const x = twins(1, [rows, side, side, inputs]);
      const filter = twins(2, [3, 3, inputs, outputs]);
      const y = kernels.convolve(x.wide, filter.wide, stride, "float64Sums");
      const narrowY = kernels.convolve(x.narrow, filter.wide, stride, "mixed");
      assert.equal(dtypeOf(narrowY), "bfloat16");
      assert.ok(relativeError(narrowY, y) < 1.25 * ROUNDING, "y");
      const dy = twins(3, y.shape);
      const dx = kernels.convolveInputGradient(dy.narrow, filter.wide, x.wide.shape, stride, "mixed");
      const exactDx = kernels.convolveInputGradient(
        dy.wide,
        filter.wide,
        x.wide.shape,
        stride,
        "float64Sums",
      );
      assert.ok(relativeError(dx, exactDx) < 1.25 * ROUNDING, "dx");
      const dw = kernels.convolveFilterGradient(x.narrow, dy.narrow, filter.wide.shape, stride, "mixed");
      assert.equal(dtypeOf(dw), "float32");
      const exactDw = kernels.convolveFilterGradient(
        x.wide,
        dy.wide,
        filter.wide.shape,
        stride,
        "float64Sums",
      );
      assert.ok(relativeError(dw, exactDw) < ROUNDING / 2, "dw");
    });
  });

  test(`integer products, ${name}: the largest sums do not overflow, nothing stays nothing, each image keeps its scale`, (context) => {
    if (skipsWithoutKernels(context)) return;
    tf.tidy(() => {
      // Values all alike make each sum as large as its sides allow; images lie many orders of magnitude apart.
      const sizes = tf.tensor4d(
        Array.from({ length: rows }, (_, n) => (n === 1 ? 0 : 2 ** ((n % 9) * 4 - 16))),
        [rows, 1, 1, 1],
      );
      const x: Tensor4D = tf.mul(tf.ones([rows, side, side, inputs]), sizes);
      const filter: Tensor4D = tf.fill([3, 3, inputs, outputs], -0.5);
      const narrow = cast(x, "bfloat16");
      const y = cast(kernels.convolve(narrow, filter, stride, "mixed"), "float32");
      const exact = kernels.convolve(x, filter, stride, "float64Sums");
      for (const [n, image] of tf.unstack(y).entries()) {
        const expected = tf.gather(exact, n);
        if (n === 1) assert.equal(image.abs().max().dataSync()[0], 0);
        else assert.ok(relativeError(image, expected) < 1.25 * ROUNDING, `image ${n}`);
      }
      const dy = cast(exact, "bfloat16");
      const dw = kernels.convolveFilterGradient(narrow, dy, filter.shape, stride, "mixed");
      const exactDw = kernels.convolveFilterGradient(
        x,
        cast(dy, "float32"),
        filter.shape,
        stride,
        "float64Sums",
      );
      assert.ok(relativeError(dw, exactDw) < ROUNDING / 2, "dw");
    });
  });

  test(`integer products, ${name}: infinity is not lost`, (context) => {
    if (skipsWithoutKernels(context)) return;
    tf.tidy(() => {
      const values = Float32Array.from(recipeUniform(1, rows * side * side * inputs));
      values[0] = Infinity;
      const x = cast(tf.tensor4d(values, [rows, side, side, inputs]), "bfloat16");
      const filter = twins(2, [3, 3, inputs, outputs]).wide;
      const y = kernels.convolve(x, filter, stride, "mixed");
      assert.ok(!Number.isFinite(cast(y, "float32").dataSync()[0]));
      const dw = kernels.convolveFilterGradient(
        x,
        cast(tf.onesLike(cast(y, "float32")), "bfloat16"),
        filter.shape,
        stride,
        "mixed",
      );
      assert.ok(dw.dataSync().some((value) => !Number.isFinite(value)));
    });
  });
}

test("batch norm, delay and pooling of bfloat16 values are those of the same values in float32, rounded", (context) => {
  if (skipsWithoutKernels(context)) return;
  tf.tidy(() => {
    const timeline: Timeline = { step: [0, 1, 2], rows: [1, 6, 6] };
    const shape: Tensor4D["shape"] = [13, 6, 6, 7];
    const [x, dy, above] = [twins(4, shape), twins(5, shape), twins(6, shape)] as const;
    const rows = (seed: number): Tensor2D => tf.tensor2d(Float32Array.from(recipeUniform(seed, 21)), [3, 7]);
    const [scale, offset] = [rows(7), rows(8)];
    const norm = { rows: timeline.rows, epsilon: 1e-5, relu: true };
    const wide = kernels.normalize(x.wide, scale, offset, norm);
    const narrow = kernels.normalize(x.narrow, scale, offset, norm);
    assertNear(narrow.y, wide.y, HALF_STEP, 1e-5, "normalized");
    assertNear(narrow.mean, wide.mean, 1e-5, 1e-6, "mean");
    assertNear(narrow.variance, wide.variance, 1e-5, 1e-6, "variance");
    const back = kernels.normalizeGradient(dy.wide, x.wide, scale, offset, wide, norm);
    const narrowBack = kernels.normalizeGradient(dy.narrow, x.narrow, scale, offset, wide, norm);
    assertNear(narrowBack.dx, back.dx, HALF_STEP, 1e-4, "normalize's dx");
    assertNear(narrowBack.dscale, back.dscale, 1e-4, 1e-4, "dscale");
    assertNear(narrowBack.doffset, back.doffset, 1e-4, 1e-4, "doffset");
    const folded = { gain: scale, bias: offset, rows: timeline.rows, relu: false };
    const shifted = kernels.scaleAndShift(x.wide, folded);
    assertNear(kernels.scaleAndShift(x.narrow, folded), shifted, HALF_STEP, 1e-6, "shifted");

    for (const delay of [
      { kind: "oneStepDelay" as const },
      { kind: "exponentialSmoothing" as const, alpha: 0.5 },
    ]) {
      const plan = planMerge(delay, timeline, timeline);
      const steps = { residual: timeline, shortcut: timeline, plan, relu: true };
      const y = kernels.merge(x.wide, above.wide, steps);
      const narrowY = kernels.merge(x.narrow, above.narrow, steps);
      assertNear(narrowY, y, HALF_STEP, 1e-6, delay.kind);
      const given = twins(9, y.shape);
      const wideGradient = kernels.mergeGradient(given.wide, y, steps);
      const narrowGradient = kernels.mergeGradient(given.narrow, narrowY, steps);
      assertNear(
        narrowGradient.dresidual,
        wideGradient.dresidual,
        HALF_STEP,
        1e-6,
        `${delay.kind}, dresidual`,
      );
      assertNear(
        narrowGradient.dshortcut,
        wideGradient.dshortcut,
        HALF_STEP,
        1e-6,
        `${delay.kind}, dshortcut`,
      );
    }

    const pooled = kernels.maxPool(x.wide);
    const narrowPooled = kernels.maxPool(x.narrow);
    assertNear(narrowPooled, pooled, 0, 0, "pooled");
    const dpooled = twins(10, pooled.shape);
    assertNear(
      kernels.maxPoolGradient(dpooled.narrow, x.narrow, narrowPooled),
      kernels.maxPoolGradient(dpooled.wide, x.wide, pooled),
      HALF_STEP,
      0,
      "pooling's dx",
    );
  });
});

test("a bfloat16 tensor is freed as any other, and refuses what TensorFlow.js would do with it", (context) => {
  if (skipsWithoutKernels(context)) return;
  const before = tf.memory().numTensors;
  tf.tidy(() => {
    const { wide, narrow } = twins(1, [2, 3, 3, 4]);
    assert.equal(dtypeOf(narrow), "bfloat16");
    assert.throws(() => tf.add(narrow, wide));
  });
  assert.equal(tf.memory().numTensors, before);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { composedKernels } from "../../lib/nn/backend/composed-kernels.js";
import { hasOwnKernels } from "../../lib/nn/backend/kernel-level.js";
import type { Affine, Kernels, MergeSteps, NormSteps } from "../../lib/nn/backend/kernels.js";
import { ownKernels } from "../../lib/nn/backend/own-kernels.js";
import { planMerge } from "../../lib/nn/delay.js";
import { type Tensor, type Tensor2D, type Tensor4D, tf } from "../../lib/nn/tensorflow.js";
import { ABSENT, type Timeline } from "../../lib/nn/timeline.js";
import { recipeUniform } from "../../lib/util/recipe.js";

/** Both implementations of the contract give the same numbers: one case, or several, for each of its operations. */
type Case = (kernels: Kernels) => readonly Tensor[];

const numbers = (seed: number, shape: readonly number[]): Float32Array =>
  Float32Array.from(
    recipeUniform(
      seed,
      shape.reduce((a, b) => a * b, 1),
    ),
  );
const maps = (seed: number, shape: Tensor4D["shape"]): Tensor4D => tf.tensor4d(numbers(seed, shape), shape);
const table = (seed: number, shape: Tensor2D["shape"]): Tensor2D => tf.tensor2d(numbers(seed, shape), shape);

/** Sizes for each algorithm that convolutions take: direct, with its strides and remainders, and Winograd's three; last a filter that no cache holds. */
const CONVOLUTIONS: readonly { x: Tensor4D["shape"]; filter: Tensor4D["shape"]; stride: number }[] = [
  { x: [3, 8, 6, 5], filter: [3, 3, 5, 7], stride: 1 },
  { x: [3, 8, 7, 5], filter: [3, 3, 5, 16], stride: 2 },
  { x: [2, 15, 15, 3], filter: [7, 7, 3, 4], stride: 2 },
  { x: [3, 8, 8, 5], filter: [1, 1, 5, 7], stride: 2 },
  { x: [5, 1, 1, 40], filter: [1, 1, 40, 10], stride: 1 },
  { x: [33, 8, 4, 32], filter: [3, 3, 32, 48], stride: 1 },
  { x: [43, 2, 2, 80], filter: [3, 3, 80, 32], stride: 1 },
  { x: [41, 8, 4, 16], filter: [3, 3, 16, 48], stride: 2 },
  { x: [490, 4, 4, 352], filter: [3, 3, 352, 352], stride: 1 },
];

const ROWS: NormSteps = { rows: [1, 6, 5], epsilon: 1e-3, relu: true };
const SHAPE: Tensor4D["shape"] = [12, 5, 5, 6];
const TIMELINE: Timeline = { step: [0, 1, 2], rows: [1, 6, 6] };

const MERGES: readonly MergeSteps[] = [
  { kind: "oneStepDelay" as const },
  { kind: "exponentialSmoothing" as const, alpha: 0.5 },
  { kind: "none" as const },
].flatMap((delay) => [
  { residual: TIMELINE, shortcut: TIMELINE, plan: planMerge(delay, TIMELINE, TIMELINE), relu: true },
  { residual: TIMELINE, shortcut: TIMELINE, plan: planMerge(delay, TIMELINE, TIMELINE, 2), relu: true },
  { residual: TIMELINE, shortcut: undefined, plan: planMerge(delay, TIMELINE), relu: false },
]);

const convolutions = (run: (k: Kernels, c: (typeof CONVOLUTIONS)[number]) => Tensor): Case[] =>
  CONVOLUTIONS.map((c) => (k: Kernels) => [run(k, c)]);

const outputShape = ({ x, filter, stride }: (typeof CONVOLUTIONS)[number]): Tensor4D["shape"] => [
  x[0],
  Math.ceil(x[1] / stride),
  Math.ceil(x[2] / stride),
  filter[3],
];

const merges = (run: (k: Kernels, steps: MergeSteps, y: Tensor4D) => readonly Tensor[]): Case[] =>
  MERGES.map((steps) => (k: Kernels) => {
    const shortcut = steps.shortcut === undefined ? undefined : maps(2, [13, 5, 5, 6]);
    return run(k, steps, k.merge(maps(1, [13, 5, 5, 6]), shortcut, steps));
  });

/** With and without the ReLU, scale and offset of each step or of all. */
const norms = (
  run: (k: Kernels, scale: Affine, offset: Affine, steps: NormSteps) => readonly Tensor[],
): Case[] =>
  [true, false].flatMap((relu) =>
    [true, false].map((shared) => (k: Kernels) => {
      const affine = (seed: number): Affine =>
        shared ? tf.tensor1d(numbers(seed, [6])) : table(seed, [3, 6]);
      return run(k, affine(2), affine(3), { ...ROWS, relu });
    }),
  );

const CASES: Readonly<Record<keyof Kernels, readonly Case[]>> = {
  convolve: [
    ...convolutions((k, { x, filter, stride }) => k.convolve(maps(1, x), maps(2, filter), stride, "float32")),
    ...convolutions((k, { x, filter, stride }) => {
      const [gain, bias] = [table(3, [2, filter[3]]), table(4, [2, filter[3]])];
      const folded = { gain, bias, rows: [1, x[0] - 1], relu: true };
      return k.convolve(maps(1, x), maps(2, filter), stride, "float32", folded);
    }),
  ],
  convolveInputGradient: convolutions((k, c) =>
    k.convolveInputGradient(maps(1, outputShape(c)), maps(2, c.filter), c.x, c.stride, "float32"),
  ),
  convolveFilterGradient: convolutions((k, c) =>
    k.convolveFilterGradient(maps(1, c.x), maps(2, outputShape(c)), c.filter, c.stride, "float32"),
  ),
  normalize: norms((k, scale, offset, steps) => {
    const { y, mean, variance } = k.normalize(maps(1, SHAPE), scale, offset, steps);
    return [y, mean, variance];
  }),
  normalizeGradient: norms((k, scale, offset, steps) => {
    const x = maps(1, SHAPE);
    const back = k.normalizeGradient(
      maps(4, SHAPE),
      x,
      scale,
      offset,
      k.normalize(x, scale, offset, steps),
      steps,
    );
    return [back.dx, back.dscale, back.doffset];
  }),
  updateStatistics: [[0, 1, 2, 2], [ABSENT, 2, 0, ABSENT], Array<number>(4).fill(ABSENT)].map(
    (step) => (k: Kernels) => {
      const running = { mean: table(1, [4, 6]), variance: tf.abs<Tensor2D>(table(2, [4, 6])) };
      const batch = { mean: table(3, [3, 6]), variance: tf.abs<Tensor2D>(table(4, [3, 6])) };
      const { mean, variance } = k.updateStatistics(running, batch, { step, momentum: 0.1, values: 12 });
      return [mean, variance];
    },
  ),
  scaleAndShift: [true, false].map((relu) => (k: Kernels) => [
    k.scaleAndShift(maps(1, SHAPE), {
      gain: table(2, [3, 6]),
      bias: table(3, [3, 6]),
      rows: ROWS.rows,
      relu,
    }),
  ]),
  merge: merges((_k, _steps, y) => [y]),
  mergeGradient: merges((k, steps, y) => {
    const { dresidual, dshortcut } = k.mergeGradient(maps(3, y.shape), y, steps);
    return [dresidual, dshortcut];
  }),
  add: [(k) => [k.add(maps(1, SHAPE), maps(2, SHAPE))]],
  maxPool: [(k) => [k.maxPool(tf.relu(maps(1, SHAPE)))]],
  maxPoolGradient: [
    (k) => {
      // Without zeros: among equal maxima the two need not choose alike.
      const x = tf.add<Tensor4D>(tf.abs(maps(1, SHAPE)), 0.01);
      const y = k.maxPool(x);
      return [k.maxPoolGradient(maps(2, y.shape), x, y)];
    },
  ],
  updateParameters: [true, false].map((first) => (k: Kernels) => {
    const step = { learningRate: 0.1, momentum: 0.9, weightDecay: 0.01 };
    const updates = [5, 3].map((rows, i) => ({
      weight: table(1 + i, [rows, 7]),
      velocity: first ? undefined : table(3 + i, [rows, 7]),
      gradient: table(5 + i, [rows, 7]),
    }));
    return k.updateParameters(updates, step).flatMap(({ weight, velocity }) => [weight, velocity]);
  }),
};

for (const [operation, cases] of Object.entries(CASES)) {
  test(`${operation}: the project's own kernel gives what TensorFlow's operations give`, (context) => {
    if (!hasOwnKernels) {
      context.skip("the project's own kernels are not in use");
      return;
    }
    for (const [i, run] of cases.entries()) {
      tf.tidy(() => {
        const expected = run(composedKernels);
        for (const [k, tensor] of run(ownKernels).entries())
          assertNear(tensor, expected[k], `case ${i}, result ${k}`);
        return [];
      });
    }
  });
}

/** max |a - b| <= 1e-5 max |b|: sums of up to 7,840 products in float32, in different orders. */
function assertNear(actual: Tensor, expected: Tensor | undefined, what: string): void {
  assert.deepEqual(actual.shape, expected?.shape, what);
  const [a, b] = [actual.dataSync<"float32">(), expected?.dataSync<"float32">() ?? new Float32Array()];
  const largest = b.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
  for (const [i, value] of a.entries())
    assert.ok(
      Math.abs(value - (b[i] as number)) <= 1e-5 * largest,
      `${what}, place ${i}: ${value}, expected ${b[i]}`,
    );
}

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Delay } from "../../lib/nn/delay.js";
import { stem, stemConvolution, stemCost, stemOutputSide } from "../../lib/nn/stem.js";
import { type Tensor4D, tf } from "../../lib/nn/tensorflow.js";
import { constantTimeline } from "../../lib/nn/timeline.js";
import { recipeTensor, trainingPass } from "./training-pass.js";

const [T, B, C] = [3, 2, 2];
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Maps [B, side, side, channels] as a function that is zero outside. */
type Maps = (b: number, i: number, j: number, c: number) => number;
const padded =
  (values: ArrayLike<number>, side: number, channels: number): Maps =>
  (b, i, j, c) =>
    i < 0 || j < 0 || i >= side || j >= side
      ? 0
      : (values[((b * side + i) * side + j) * channels + c] ?? NaN);

/** Convolution, batch norm with scale and offset, ReLU and 3x3 max-pool of stride 2, from their equations. */
function stemByHand(
  x: Maps,
  side: number,
  size: number,
  stride: number,
  filter: ArrayLike<number>,
): number[] {
  const [convolved, pooled] = [Math.ceil(side / stride), Math.ceil(Math.ceil(side / stride) / 2)];
  const pad = (size - 1) / 2;
  const conv: Maps = (b, i, j, c) =>
    range(size * size * 3)
      .map((at) => {
        const [u, v, k] = [Math.floor(at / (3 * size)), Math.floor(at / 3) % size, at % 3];
        return x(b, i * stride + u - pad, j * stride + v - pad, k) * (filter[at * C + c] ?? NaN);
      })
      .reduce((a, b) => a + b, 0);
  const maps = range(B * convolved * convolved * C).map((at) => {
    const [b, i, j] = [
      Math.floor(at / (convolved * convolved * C)),
      Math.floor(at / (convolved * C)) % convolved,
      Math.floor(at / C) % convolved,
    ];
    return conv(b, i, j, at % C);
  });
  const normalized = maps.map((value, at) => {
    const own = maps.filter((_, i) => i % C === at % C);
    const variance = mean(own.map((other) => (other - mean(own)) ** 2));
    return Math.max(0, (2 * (value - mean(own))) / Math.sqrt(variance + 0.1) - 0.5);
  });
  const relu = padded(normalized, convolved, C);
  return range(B * pooled * pooled * C).map((at) => {
    const [b, i, j] = [
      Math.floor(at / (pooled * pooled * C)),
      Math.floor(at / (pooled * C)) % pooled,
      Math.floor(at / C) % pooled,
    ];
    return Math.max(
      ...range(9).map((w) => relu(b, 2 * i + Math.floor(w / 3) - 1, 2 * j + (w % 3) - 1, at % C)),
    );
  });
}

for (const [kind, side] of [
  ["cifar", 6],
  ["imagenet", 12],
] as const) {
  test(`the ${kind} stem is its equations, held back by the delay`, () => {
    const spec = stemConvolution(kind, C);
    const pooledSide = stemOutputSide(spec, side);
    assert.equal(pooledSide, 3);
    const out = side / spec.stride;
    assert.equal(stemCost(spec, side), out * out * spec.size * spec.size * 3 * C);
    tf.tidy(() => {
      const images = recipeTensor(1, [B, side, side, 3]);
      const filter = recipeTensor(2, [spec.size, spec.size, 3, C]);
      const expected = stemByHand(
        padded(images.values, side, 3),
        side,
        spec.size,
        spec.stride,
        filter.values,
      );
      const run = (delay: Delay) => {
        const pass = trainingPass(
          B,
          {
            "stem.conv.weight": filter.tensor,
            "stem.norm.scale": tf.fill([C], 2),
            "stem.norm.offset": tf.fill([C], -0.5),
          },
          { "stem.norm.mean": tf.zeros([T, C]), "stem.norm.variance": tf.ones([T, C]) },
        );
        const sequence = { values: images.tensor as Tensor4D, timeline: constantTimeline(T, B) };
        const { y } = stem(pass, spec, delay, sequence);
        return { timeline: y.timeline, values: y.values.dataSync() };
      };
      const near = (actual: ArrayLike<number>, scale: number): void => {
        assert.equal(actual.length, expected.length);
        for (const [i, value] of expected.entries())
          assert.ok(Math.abs((actual[i] ?? NaN) - scale * value) < 1e-5, `place ${i}`);
      };
      near(run({ kind: "none" }).values, 1);
      const late = run({ kind: "oneStepDelay" });
      assert.deepEqual(late.timeline, { step: [0, 1, 1], rows: [1, B] });
      const row = pooledSide ** 2 * C;
      assert.ok(late.values.subarray(0, row).every((value) => value === 0));
      near(late.values.subarray(row), 1);
      const smooth = run({ kind: "exponentialSmoothing", alpha: 0.5 });
      for (const t of range(T))
        near(smooth.values.subarray(t * B * row, (t + 1) * B * row), 1 - 0.5 ** (t + 1));
    });
  });
}

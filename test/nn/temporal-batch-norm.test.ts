import assert from "node:assert/strict";
import { test } from "node:test";
import type { EvaluationPass } from "../../lib/nn/pass.js";
import { foldNorm, keepStatistics, temporalBatchNorm } from "../../lib/nn/temporal-batch-norm.js";
import { type Tensor4D, tf } from "../../lib/nn/tensorflow.js";
import { ABSENT, type Timeline } from "../../lib/nn/timeline.js";
import { recipeTensor, trainingPass } from "./training-pass.js";

const [T, B, SIDE, C] = [4, 3, 2, 2];
const [EPSILON, MOMENTUM] = [0.1, 0.25];
/** Not evaluated at t = 0; a blank step of one row; a step that holds twice. */
const TIMELINE: Timeline = { step: [ABSENT, 0, 1, 1], rows: [1, B] };
const FIRST_ROW = [0, 1];

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Scale, offset, running statistics and input of a norm called "n". */
function given(temporalAffine: boolean) {
  const affine = temporalAffine ? [T, C] : [C];
  return {
    x: recipeTensor(1, [1 + B, SIDE, SIDE, C]),
    scale: recipeTensor(2, affine),
    offset: recipeTensor(3, affine),
    mean: recipeTensor(4, [T, C]),
    variance: recipeTensor(5, [T, C]),
  };
}

/** The values of a channel at a distinct step; a row that stands for the batch counts once. */
const channel = (values: Float32Array, d: number, c: number): number[] =>
  range((TIMELINE.rows[d] ?? 0) * SIDE ** 2).map(
    (p) => values[((FIRST_ROW[d] ?? NaN) * SIDE ** 2 + p) * C + c] ?? NaN,
  );

function assertNear(actual: number | undefined, expected: number, what: string): void {
  assert.ok(Math.abs((actual ?? NaN) - expected) < 2e-6, `${what}: ${String(actual)}, not ${expected}`);
}

for (const temporalAffine of [false, true]) {
  test(`in training each timestep has the batch's statistics${temporalAffine ? ", scale and offset of its own" : ""}`, () => {
    tf.tidy(() => {
      const { x, scale, offset, mean: running, variance } = given(temporalAffine);
      const pass = trainingPass(
        B,
        { "n.scale": scale.tensor, "n.offset": offset.tensor },
        { "n.mean": running.tensor, "n.variance": variance.tensor },
        { epsilon: EPSILON, momentum: MOMENTUM, temporalAffine },
      );
      const { y } = temporalBatchNorm(pass, "n", { values: x.tensor as Tensor4D, timeline: TIMELINE }, false);
      const output = y.values.dataSync<"float32">();
      let row = 0;
      const firstRow = y.timeline.rows.map((count) => (row += count) - count);
      // Equal inputs give equal outputs unless scale and offset differ.
      assert.deepEqual(y.timeline.step, temporalAffine ? [ABSENT, 0, 1, 2] : TIMELINE.step);
      const [newMean, newVariance] = ["n.mean", "n.variance"].map((name) =>
        pass.newStatistics.get(name)?.dataSync(),
      );
      for (const t of range(T)) {
        for (const c of range(C)) {
          const at = t * C + c;
          const d = TIMELINE.step[t] ?? NaN;
          if (d === ABSENT) {
            assertNear(newMean?.[at], running.values[at] ?? NaN, "mean of a timestep that was not evaluated");
            assertNear(newVariance?.[at], variance.values[at] ?? NaN, "its variance");
            continue;
          }
          const values = channel(x.values, d, c);
          const centre = mean(values);
          const spread = mean(values.map((value) => (value - centre) ** 2));
          const affine = temporalAffine ? at : c;
          const first = firstRow[y.timeline.step[t] ?? NaN] ?? NaN;
          for (const [p, value] of values.entries())
            assertNear(
              output[(first * SIDE ** 2 + p) * C + c],
              ((scale.values[affine] ?? NaN) * (value - centre)) / Math.sqrt(spread + EPSILON) +
                (offset.values[affine] ?? NaN),
              `y at t = ${t}`,
            );
          const n = B * SIDE ** 2;
          const blend = (old: number | undefined, fresh: number): number =>
            (1 - MOMENTUM) * (old ?? NaN) + MOMENTUM * fresh;
          assertNear(newMean?.[at], blend(running.values[at], centre), `mean at t = ${t}`);
          assertNear(
            newVariance?.[at],
            blend(variance.values[at], (spread * n) / (n - 1)),
            `variance at t = ${t}`,
          );
        }
      }
    });
  });
}

test("in evaluation each timestep has its running row, and only equal rows stay one step", () => {
  tf.tidy(() => {
    const { x, scale, offset, mean: running, variance } = given(false);
    // Rows 2 and 3 are equal at first; then the last bit of one value differs.
    for (const isEqual of [true, false]) {
      const statistics = { mean: running.values.slice(), variance: variance.values.map((v) => v + 2) };
      for (const values of [statistics.mean, statistics.variance]) values.copyWithin(3 * C, 2 * C, 3 * C);
      if (!isEqual) statistics.variance[3 * C] = (statistics.variance[3 * C] ?? NaN) * (1 + 2 ** -23);
      const tensors = {
        "n.mean": tf.tensor2d(statistics.mean, [T, C]),
        "n.variance": tf.tensor2d(statistics.variance, [T, C]),
      };
      const parameters = new Map(Object.entries({ "n.scale": scale.tensor, "n.offset": offset.tensor }));
      const settings = { epsilon: EPSILON, momentum: MOMENTUM, temporalAffine: false };
      const folded = foldNorm(parameters, new Map(Object.entries(tensors)), "n", settings);
      const pass: EvaluationPass = {
        kind: "evaluation",
        opened: new Map(),
        precision: "float32",
        parameters,
        norms: new Map([["n", folded]]),
      };
      const { y } = temporalBatchNorm(pass, "n", { values: x.tensor as Tensor4D, timeline: TIMELINE }, true);
      assert.deepEqual(y.timeline.step, isEqual ? [ABSENT, 0, 1, 1] : [ABSENT, 0, 1, 2]);
      const output = y.values.dataSync<"float32">();
      for (const [t, d] of [1, 2].map((t) => [t, TIMELINE.step[t] ?? NaN] as const))
        for (const c of range(C))
          for (const [p, value] of channel(x.values, d, c).entries()) {
            const at = t * C + c;
            const centred = value - (statistics.mean[at] ?? NaN);
            const normalized = centred / Math.sqrt((statistics.variance[at] ?? NaN) + EPSILON);
            assertNear(
              output[((FIRST_ROW[d] ?? NaN) * SIDE ** 2 + p) * C + c],
              Math.max(0, (scale.values[c] ?? NaN) * normalized + (offset.values[c] ?? NaN)),
              `t = ${t}, channel ${c}`,
            );
          }
    }
  });
});

test("a norm that a batch does not pass through keeps its running statistics", () => {
  tf.tidy(() => {
    const { mean: running, variance } = given(false);
    const pass = trainingPass(B, {}, { "n.mean": running.tensor, "n.variance": variance.tensor });
    keepStatistics(pass, "n");
    assert.deepEqual(pass.newStatistics.get("n.mean")?.dataSync(), running.values);
    assert.deepEqual(pass.newStatistics.get("n.variance")?.dataSync(), variance.values);
  });
});

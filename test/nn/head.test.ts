import assert from "node:assert/strict";
import { test } from "node:test";
import { head, headName, type Heads } from "../../lib/nn/head.js";
import { type Tensor, type Tensor4D, tf } from "../../lib/nn/tensorflow.js";
import type { Timeline } from "../../lib/nn/timeline.js";
import { recipeTensor, trainingPass } from "./training-pass.js";

const [T, B, SIDE, C, K] = [4, 3, 2, 5, 3];
/** A blank step of one row, then two steps of the batch, the first of which holds twice. */
const TIMELINE: Timeline = { step: [0, 1, 1, 2], rows: [1, B, B] };
const FIRST_ROW = [0, 1, 1, 1 + B];
const ROWS = 1 + 2 * B;

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
/** Row on the folded batch axis of image b at timestep t. */
const rowOf = (t: number, b: number): number => (FIRST_ROW[t] ?? NaN) + (t === 0 ? 0 : b);

function assertNear(actual: ArrayLike<number>, expected: readonly number[]): void {
  assert.equal(actual.length, expected.length);
  for (const [i, value] of expected.entries())
    assert.ok(Math.abs((actual[i] ?? NaN) - value) < 2e-6, `place ${i}: ${String(actual[i])}, not ${value}`);
}

for (const heads of ["single", "perTimestep"] as const satisfies readonly Heads[]) {
  test(`head ${heads}: logits and every gradient are their equations, by distinct step`, () => {
    tf.tidy(() => {
      const x = recipeTensor(1, [ROWS, SIDE, SIDE, C]);
      const names = [...new Set(range(T).map((t) => headName(heads, t)))];
      const weights = new Map(names.map((name, i) => [name, recipeTensor(10 + i, [C, K])]));
      const biases = new Map(names.map((name, i) => [name, recipeTensor(20 + i, [K])]));
      const parameters: Record<string, Tensor> = {};
      for (const name of names) {
        parameters[`${name}.weight`] = weights.get(name)?.tensor as Tensor;
        parameters[`${name}.bias`] = biases.get(name)?.tensor as Tensor;
      }
      const pass = trainingPass(B, parameters);
      const feature = (row: number, c: number): number =>
        sum(range(SIDE * SIDE).map((p) => x.values[(row * SIDE * SIDE + p) * C + c] ?? NaN)) / SIDE ** 2;
      const weight = (t: number, c: number, k: number): number =>
        weights.get(headName(heads, t))?.values[c * K + k] ?? NaN;
      const bias = (t: number, k: number): number => biases.get(headName(heads, t))?.values[k] ?? NaN;

      const layer = head(pass, heads, { values: x.tensor as Tensor4D, timeline: TIMELINE }, B);
      const cells = range(T * B * K).map(
        (i) => [Math.floor(i / (B * K)), Math.floor(i / K) % B, i % K] as const,
      );
      assertNear(
        layer.y.values,
        cells.map(
          ([t, b, k]) => bias(t, k) + sum(range(C).map((c) => feature(rowOf(t, b), c) * weight(t, c, k))),
        ),
      );

      // The answer at t = 0 takes no part in the loss.
      const dlogits = recipeTensor(30, [T, B, K]).values.fill(0, 0, B * K);
      const dx = layer.pullback(dlogits);
      const backTo = (row: number, c: number): number =>
        sum(cells.map(([t, b, k], i) => (rowOf(t, b) === row ? (dlogits[i] ?? NaN) * weight(t, c, k) : 0)));
      assertNear(
        dx.dataSync(),
        range(ROWS * SIDE * SIDE * C).map(
          (i) => backTo(Math.floor(i / (SIDE * SIDE * C)), i % C) / SIDE ** 2,
        ),
      );
      for (const name of names) {
        const own = cells.map(([t], i) => (headName(heads, t) === name ? (dlogits[i] ?? NaN) : 0));
        const dweight = pass.gradients.get(`${name}.weight`);
        if (heads === "perTimestep" && name === headName(heads, 0)) {
          assert.equal(dweight, undefined);
          continue;
        }
        assertNear(
          dweight?.dataSync() ?? [],
          range(C * K).map((i) =>
            sum(
              cells.map(([t, b, k], j) =>
                k === i % K ? (own[j] ?? NaN) * feature(rowOf(t, b), Math.floor(i / K)) : 0,
              ),
            ),
          ),
        );
        assertNear(
          pass.gradients.get(`${name}.bias`)?.dataSync() ?? [],
          range(K).map((k) => sum(own.filter((_, i) => i % K === k))),
        );
      }
    });
  });
}

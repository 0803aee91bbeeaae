import assert from "node:assert/strict";
import { test } from "node:test";
import { fitClassGaussians, nearestClassDistance } from "../../lib/trace/mahalanobis.js";
import { energy, entropyScore, oneMinusMaxProbability } from "../../lib/trace/novelty-scores.js";
import { joinedTraces, lastStep, subtrace } from "../../lib/trace/subtrace.js";
import { UserError } from "../../lib/util/errors.js";
import { recipeTrace } from "../../lib/experiments/parity/recipe-trace.js";
import { traceOfProbabilities } from "./made-traces.js";

test("1 - the maximum probability, entropy and energy of logits in closed form", () => {
  const trace = traceOfProbabilities(
    [
      [
        [0.25, 0.25, 0.5],
        [1 / 3, 1 / 3, 1 / 3],
      ],
    ],
    [0, 1],
  );
  const near = (measured: Float64Array, expected: readonly number[]) => {
    measured.forEach((value, n) => {
      assert.ok(Math.abs(value - (expected[n] as number)) < 1e-12);
    });
    assert.equal(measured.length, expected.length);
  };
  near(oneMinusMaxProbability(trace, 0), [0.5, 2 / 3]);
  near(entropyScore(trace, 0), [(1.5 * Math.log(2)) / Math.log(3), 1]);
  // Logits log p have energy 0; a level added to all of them is taken off it, however large.
  near(energy(trace, 0), [0, 0]);
  const raised = { ...trace, logits: trace.logits.map((logit) => logit + 1000) };
  energy(raised, 0).forEach((value) => {
    assert.ok(Math.abs(value + 1000) < 1e-9);
  });
});

test("class Gaussians: distances of a diagonal case in closed form, unmoved by a linear map", () => {
  // Two classes around (0, 0) and (10, 0); within each variance 1 along the first and 4 along the second axis.
  const around = [1, 2, 1, -2, -1, 2, -1, -2];
  const points = Float64Array.of(...around, ...around.map((value, i) => (i % 2 === 0 ? value + 10 : value)));
  const labels = Int32Array.of(0, 0, 0, 0, 1, 1, 1, 1);
  const asked = Float64Array.of(3, 0, 0, 4, 10, 0, 5, 2);
  const distances = nearestClassDistance(fitClassGaussians(points, labels, 2, 0), asked);
  [9, 4, 0, 26].forEach((expected, n) => {
    assert.ok(Math.abs((distances[n] as number) - expected) < 1e-9);
  });
  const map = (rows: Float64Array) =>
    rows.map((_, i) => {
      const [x, y] = [rows[i - (i % 2)] as number, rows[i - (i % 2) + 1] as number];
      return i % 2 === 0 ? 2 * x + y + 7 : x - 3 * y;
    });
  const moved = nearestClassDistance(fitClassGaussians(map(points), labels, 2, 0), map(asked));
  moved.forEach((value, n) => {
    assert.ok(Math.abs(value - (distances[n] as number)) < 1e-9);
  });
  assert.throws(() => fitClassGaussians(points, labels, 3), UserError);
});

test("parts of a trace: examples picked, joined again, and its last step", () => {
  const { trace } = recipeTrace(4, 9, 3);
  const even = subtrace(trace, [0, 2, 4, 6, 8]);
  const odd = subtrace(trace, [1, 3, 5, 7]);
  assert.deepEqual(subtrace(joinedTraces([even, odd]), [0, 5, 1, 6, 2, 7, 3, 8, 4]), trace);
  const end = lastStep(trace);
  assert.deepEqual([end.timesteps, end.examples], [1, 9]);
  assert.deepEqual(end.logits, trace.logits.slice(-27));
});

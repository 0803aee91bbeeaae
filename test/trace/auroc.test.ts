import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { auroc, aurocBootstrap } from "../../lib/trace/auroc.js";
import { UserError } from "../../lib/util/errors.js";
import { randomStream } from "../../lib/util/random.js";

const scoredExamples = fc
  .array(fc.record({ score: fc.integer({ min: -4, max: 4 }), positive: fc.constantFrom(0, 1) }), {
    minLength: 2,
    maxLength: 40,
  })
  .filter((examples) => new Set(examples.map(({ positive }) => positive)).size === 2);

test("AUROC equals the count over all pairs, ties half, and is what a rising map leaves it", () => {
  fc.assert(
    fc.property(scoredExamples, (examples) => {
      const scores = examples.map(({ score }) => score);
      const positive = examples.map((example) => example.positive);
      const of = (kind: number): number[] => scores.filter((_, n) => positive[n] === kind);
      const pairs = of(1).flatMap((s) => of(0).map((other) => Number(s > other) + Number(s === other) / 2));
      const expected = pairs.reduce((sum, one) => sum + one, 0) / pairs.length;
      assert.ok(Math.abs(auroc(scores, positive) - expected) < 1e-12);
      assert.equal(auroc(scores.map(Math.exp), positive), auroc(scores, positive));
      const turned = auroc(
        scores.map((score) => -score),
        positive,
      );
      assert.ok(Math.abs(turned - (1 - expected)) < 1e-12);
    }),
  );
});

test("AUROC of two normal distributions a deviation apart is Φ(1/√2) = 0.760", () => {
  const stream = randomStream(3, "auroc");
  const positive = Array.from({ length: 40000 }, (_, n) => n % 2);
  const scores = positive.map((shift) => shift + stream.normal());
  assert.ok(Math.abs(auroc(scores, positive) - 0.76025) < 0.01);
  assert.ok(Number.isNaN(auroc([1, 2], [1, 1])));
});

test("bootstrap: repeats from its stream, as wide as Hanley and McNeil's error, paired for equal signals", () => {
  const stream = randomStream(5, "auroc");
  const positive = Array.from({ length: 600 }, (_, n) => n % 2);
  const scores = positive.map((shift) => shift + stream.normal());
  const draw = () =>
    aurocBootstrap([scores, scores.map(Math.exp)], positive, { stream: randomStream(1, "bootstrap") });
  const drawn = draw();
  assert.deepEqual(draw(), drawn);
  const A = auroc(scores, positive);
  assert.equal(drawn.values[0], A);
  // Hanley and McNeil 1982, with 300 examples of each kind.
  const [q1, q2] = [A / (2 - A), (2 * A * A) / (1 + A)];
  const error = Math.sqrt((A * (1 - A) + 299 * (q1 - A * A) + 299 * (q2 - A * A)) / (300 * 300));
  const [interval] = drawn.intervals;
  assert.ok(interval && Math.abs((interval.high - interval.low) / (2 * 1.96 * error) - 1) < 0.15);
  assert.deepEqual(drawn.differences[1], { low: 0, high: 0 });
  assert.throws(() => aurocBootstrap([[1, 2]], [1, 1], { stream: randomStream(1, "bootstrap") }), UserError);
  assert.throws(() => auroc([1], [1, 0]), UserError);
});

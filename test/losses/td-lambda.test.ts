import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { tdLoss, tdTargets } from "../../lib/losses/td-lambda.js";
import { softmax } from "../../lib/util/softmax.js";
import { UserError } from "../../lib/util/errors.js";
import { recipeUniform } from "../../lib/util/recipe.js";
import { crossEntropies, lambdaReturn } from "./lambda-return.js";

interface Logits {
  readonly timesteps: number;
  readonly classes: number;
  readonly labels: number[];
  readonly logits: Float64Array;
}

/** Logits [T, B, K] within +-6, with labels. */
const someLogits: fc.Arbitrary<Logits> = fc
  .record({
    timesteps: fc.integer({ min: 1, max: 7 }),
    batch: fc.integer({ min: 1, max: 3 }),
    classes: fc.integer({ min: 2, max: 4 }),
    seed: fc.nat(),
  })
  .map(({ timesteps, batch, classes, seed }) => ({
    timesteps,
    classes,
    labels: Array.from({ length: batch }, (_, b) => (seed + b) % classes),
    logits: recipeUniform(seed, timesteps * batch * classes).map((u) => 6 * u),
  }));

const someLambda = fc.double({ min: 0, max: 1, noNaN: true });

function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, within = 1e-12): void {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs((actual[i] as number) - (expected[i] as number));
    assert.ok(difference <= within, `place ${i}: ${String(actual[i])}, not ${String(expected[i])}`);
  }
}

test("the backward recursion is the explicit lambda-return, and every target sums to 1", () => {
  fc.assert(
    fc.property(someLogits, someLambda, ({ timesteps, classes, labels, logits }, lambda) => {
      const targets = tdTargets(softmax(logits, classes), labels, timesteps, lambda);
      assertClose(targets, lambdaReturn(logits, labels, timesteps, lambda));
      for (let row = 0; row < targets.length; row += classes) {
        const sum = targets.subarray(row, row + classes).reduce((a, b) => a + b, 0);
        assert.ok(Math.abs(sum - 1) < 1e-12);
      }
    }),
  );
});

test("lambda 1 is the label at every step, lambda 0 the next step's belief", () => {
  fc.assert(
    fc.property(someLogits, ({ timesteps, classes, labels, logits }) => {
      const probabilities = softmax(logits, classes);
      const step = labels.length * classes;
      const onehot = labels.flatMap((label) =>
        Array.from({ length: classes }, (_, k) => Number(k === label)),
      );
      const label = tdTargets(probabilities, labels, timesteps, 1);
      assert.deepEqual([...label], Array<number[]>(timesteps).fill(onehot).flat());
      const belief = tdTargets(probabilities, labels, timesteps, 0);
      assert.deepEqual([...belief], [...probabilities.subarray(step), ...onehot]);
      const { lossPerTimestep } = tdLoss(logits, labels, timesteps, { lambda: 1, firstTimestep: 0 });
      for (const [t, loss] of lossPerTimestep.entries()) {
        const surprise = labels.map((y, b) => -Math.log(probabilities[t * step + b * classes + y] as number));
        assertClose([loss], [surprise.reduce((a, b) => a + b, 0) / labels.length], 1e-10);
      }
    }),
  );
});

test("loss and gradient, with weights, mean and first timestep, against finite differences with targets held", () => {
  const settings = fc.record({
    mean: fc.boolean(),
    firstTimestep: fc.constantFrom(0, 1),
    weighted: fc.boolean(),
  });
  fc.assert(
    fc.property(someLogits, someLambda, settings, (given, lambda, { mean, firstTimestep, weighted }) => {
      const { timesteps, labels, logits } = given;
      fc.pre(timesteps > firstTimestep);
      const weights = weighted ? Array.from({ length: timesteps }, (_, t) => 0.2 + t) : undefined;
      const targets = lambdaReturn(logits, labels, timesteps, lambda);
      const lossOf = (moved: Float64Array): number =>
        crossEntropies(moved, targets, timesteps, labels.length)
          .map((loss, t) => (t < firstTimestep ? 0 : (weights?.[t] ?? 1) * loss))
          .reduce((a, b) => a + b, 0) / (mean ? timesteps - firstTimestep : 1);
      const { loss, gradient } = tdLoss(logits, labels, timesteps, { lambda, firstTimestep, weights, mean });
      assertClose([loss], [lossOf(logits)], 1e-10);
      const h = 1e-5;
      const differences = logits.map((value, i) => {
        const at = (x: number): number => lossOf(logits.with(i, x));
        return (at(value + h) - at(value - h)) / (2 * h);
      });
      assertClose(gradient, differences, 1e-6);
    }),
    { numRuns: 30 },
  );
});

test("logits of ten thousand stay finite", () => {
  const logits = Float32Array.of(1e4, -1e4, 0, -1e4, 1e4, 1e4);
  const result = tdLoss(logits, [1], 2, { lambda: 0.5, firstTimestep: 0 });
  // Targets: t = 1 the label; t = 0 half of (0, 1/2, 1/2) and half the label. Losses: 0.75 * 2e4 + 0.25 * 1e4, ln 2.
  assertClose(result.lossPerTimestep, [17_500, Math.log(2)], 1e-9);
  assertClose(result.gradient, [1, -0.75, -0.25, 0, -0.5, 0.5]);
});

test("a lambda out of range, or weights that do not match the timesteps, are refused", () => {
  const lossWith = (lambda: number, weights?: number[]): unknown =>
    tdLoss([0, 1, 1, 0], [0], 2, { lambda, firstTimestep: 0, weights });
  for (const lambda of [-0.1, 1.1, NaN]) assert.throws(() => lossWith(lambda), UserError);
  assert.throws(() => lossWith(0, [1]), /1 timestep weights for 2 timesteps/);
});

test("labels that are no classes, and lengths that do not divide, are refused before anything is written", () => {
  const [logits, T] = [Float64Array.from({ length: 12 }, (_, i) => i), 2];
  const both = (values: Float64Array, labels: number[], timesteps: number, says: RegExp): void => {
    for (const run of [
      () => tdTargets(values, labels, timesteps, 0.5),
      () => tdLoss(values, labels, timesteps, { lambda: 0.5, firstTimestep: 0 }),
    ])
      assert.throws(run, (error) => error instanceof UserError && says.test(error.message));
  };
  both(logits, [0, 3], T, /label 1 is 3, outside 0 \.\. 2/);
  both(logits, [-1, 2], T, /label 0 is -1, outside 0 \.\. 2/);
  both(logits, [0, 1.5], T, /label 1 is 1\.5/);
  both(logits, [0, NaN], T, /label 1 is NaN/);
  both(logits.subarray(1), [0, 1], T, /11 values .* 2 timesteps x 2 examples/);
  both(logits, [], T, /12 values .* 2 timesteps x 0 examples/);
  both(logits, [0, 1], 0, /0 timesteps/);
  both(logits, [0, 1], 1.5, /1\.5 timesteps/);
});

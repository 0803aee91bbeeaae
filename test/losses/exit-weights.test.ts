import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { exitWeightsAt, isBackboneFrozen, shallowDeepWeights } from "../../lib/losses/exit-weights.js";

test("five exits, the first timestep left out: from 0.01 to their depth, the last at 1 throughout", () => {
  assert.deepEqual(shallowDeepWeights(6, 1, 0), [0, 0.01, 0.01, 0.01, 0.01, 1]);
  assert.deepEqual(
    shallowDeepWeights(6, 1, 0.5),
    [0, 0.11, 0.21000000000000002, 0.31, 0.41000000000000003, 1],
  );
  assert.deepEqual(shallowDeepWeights(6, 1, 1), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(shallowDeepWeights(4, 0, 1), [0.25, 0.5, 0.75, 1]);
  assert.deepEqual(shallowDeepWeights(1, 0, 0), [1]);
});

test("the published schedule: epoch e of E gives min(C, 0.01 + e C / E)", () => {
  const epochs = 100;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const weights = shallowDeepWeights(21, 1, epoch / epochs);
    // Exits at 15 %, 30 %, ..., 90 % of the depth, as there.
    for (const final of [0.15, 0.3, 0.45, 0.6, 0.75, 0.9]) {
      const expected = Math.min(final, 0.01 + epoch * (final / epochs));
      assert.ok(Math.abs((weights[Math.round(20 * final)] ?? NaN) - expected) < 1e-12);
    }
  }
});

test("weights never fall over a training nor with depth, and no exit counts more than the last", () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 70 }), fc.boolean(), share, share, (timesteps, blind, p, q) => {
      const at = (progress: number): number[] => shallowDeepWeights(timesteps, Number(blind), progress);
      const [earlier, later] = [at(Math.min(p, q)), at(Math.max(p, q))];
      earlier.forEach((weight, t) => {
        assert.ok(weight <= (later[t] ?? NaN) && weight <= 1);
        assert.ok(weight >= (earlier[t - 1] ?? 0));
      });
      assert.equal(later.at(-1), 1);
    }),
  );
});

test("mixed and disjoint: the last exit alone, then all exits, or all but the last on a frozen backbone", () => {
  const mixed = { kind: "mixed", backbone: 0.5 } as const;
  const disjoint = { kind: "disjoint", backbone: 0.5 } as const;
  for (const kind of [mixed, disjoint]) {
    assert.deepEqual(exitWeightsAt(kind, 4, 1, 0.49), [0, 0, 0, 1]);
    assert.equal(isBackboneFrozen(kind, 0.49), false);
  }
  assert.deepEqual(exitWeightsAt(mixed, 4, 1, 0.5), [0, 1, 1, 1]);
  assert.deepEqual(exitWeightsAt(disjoint, 4, 1, 0.5), [0, 1, 1, 0]);
  assert.deepEqual(
    [mixed, disjoint, { kind: "shallowDeep" } as const, undefined].map((kind) => isBackboneFrozen(kind, 0.5)),
    [false, true, false, false],
  );
  assert.deepEqual(exitWeightsAt({ kind: "shallowDeep" }, 6, 1, 0.5), shallowDeepWeights(6, 1, 0.5));
});

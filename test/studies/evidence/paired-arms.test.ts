import assert from "node:assert/strict";
import { test } from "node:test";
import { keepsUp, leads, PairedArms } from "../../../lib/studies/evidence/paired-arms.js";

test("arms are compared seed by seed, whatever the order of their results", () => {
  const paired = new PairedArms([
    { arm: "a", seed: 0, measured: 3 },
    { arm: "b", seed: 1, measured: 1 },
    { arm: "b", seed: 0, measured: 2 },
    { arm: "a", seed: 1, measured: 5 },
  ]);
  assert.deepEqual(
    paired.lead("a", "b", (value) => 10 * value),
    [10, 40],
  );
  assert.throws(() => paired.bySeed("c", (value) => value), /no result of c with seed 0/);
});

test("a lead must exceed its standard error, and a single seed decides nothing", () => {
  // Mean 2, standard error 1 (deviation sqrt 3, three values).
  const differences = [2 - Math.sqrt(3), 2, 2 + Math.sqrt(3)];
  assert.equal(leads(differences), true);
  assert.equal(leads(differences.map((value) => value - 1.01)), false);
  assert.equal(keepsUp(differences.map((value) => value - 2.99)), true);
  assert.equal(keepsUp(differences.map((value) => value - 3.01)), false);
  assert.equal(leads([5]), false);
  assert.equal(keepsUp([5]), false);
});

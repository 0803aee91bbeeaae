import assert from "node:assert/strict";
import { test } from "node:test";
import { NOISE_NAMES } from "../../../lib/noise/noises.js";
import { accuracyAt, measured } from "../../../lib/studies/claims/noise/comparison.js";
import { leads } from "../../../lib/studies/evidence/paired-arms.js";
import { CONDITIONS, type NoisyModel } from "../../../lib/studies/claims/noise/evaluation.js";
import {
  comparisonsOf,
  noiseFindings,
  OPPONENTS,
  TESTED,
} from "../../../lib/studies/claims/noise/findings.js";
import { relativeDrop } from "../../../lib/trace/robustness.js";

/** A model of ten classes whose accuracy is chance at t = 0 and then `clean`, or `noisy(noise)` under noise. */
function made(model: string, seed: number, clean: number, noisy: (noise: string) => number): NoisyModel {
  return {
    model,
    seed,
    classes: 10,
    results: CONDITIONS.map(({ noise, schedule }) => {
      const accuracy = noise === "none" ? clean : noisy(noise);
      return { noise, schedule, accuracy: [0.1, accuracy, accuracy], curve: [] };
    }),
  };
}

const SEEDS = [0, 1, 2];

test("relative drop: nothing lost is 0, down to chance is 1, and a model at chance has none", () => {
  assert.equal(relativeDrop(0.7, 0.7, 0.1), 0);
  assert.equal(relativeDrop(0.7, 0.1, 0.1), 1);
  assert.ok(Math.abs(relativeDrop(0.7, 0.4, 0.1) - 0.5) < 1e-12);
  assert.ok(relativeDrop(0.7, 0.8, 0.1) < 0);
  assert.ok(Number.isNaN(relativeDrop(0.1, 0.1, 0.1)));
});

test("last step, area over time, and their drops", () => {
  const model = made("CascadedTD", 0, 0.7, () => 0.4);
  const condition = { noise: "perlin", schedule: "transient" };
  const clean = model.results[0];
  assert.ok(clean);
  assert.equal(accuracyAt(clean, "last step"), 0.7);
  assert.ok(Math.abs(accuracyAt(clean, "over time") - (0.4 + 0.7) / 2) < 1e-12);
  assert.equal(measured(model, condition, "accuracy", "last step"), 0.4);
  assert.ok(Math.abs(measured(model, condition, "relative drop", "last step") - 0.5) < 1e-12);
  // Chance at t = 0 is nothing to lose: over time the share that is lost is the same half.
  assert.ok(Math.abs(measured(model, condition, "relative drop", "over time") - 0.5) < 1e-12);
  assert.throws(
    () => measured(model, { noise: "snow", schedule: "transient" }, "accuracy", "last step"),
    RangeError,
  );
});

test("more than the standard error decides; one seed, or a lead as large as its error, does not", () => {
  assert.equal(leads([0.01, 0.02, 0.03]), true);
  assert.equal(leads([0.3]), false);
  assert.equal(leads([0, 2]), false);
  assert.equal(leads([-0.01, -0.02, -0.03]), false);
  assert.equal(leads([NaN, 1, 1]), false);
});

test("absolute and relative are told apart: a lead that is there without noise too is no robustness", () => {
  // Ahead of every other model by 10 points, clean and noisy: the same points are a smaller share of more.
  const models = SEEDS.flatMap((seed) => [
    made(TESTED, seed, 0.8 + seed / 100, () => 0.5),
    ...OPPONENTS.map((name) => made(name, seed, 0.6, () => 0.4)),
  ]);
  const findings = noiseFindings(
    new Map([
      ["clean", models],
      ["occluded", models],
    ]),
  );
  assert.equal(findings.length, 2 * 3 * 2 * 2 * 2);
  for (const { statement, comesOut } of findings)
    assert.equal(comesOut, statement.includes("more accurate"), statement);
});

test("seeds are compared pair by pair, and one noise out of all is enough to fail", () => {
  // Seeds differ by 20 points among themselves, but CascadedTD is always one point ahead, except under focus.
  const ahead = (seed: number, noise: string): number => 0.3 + seed / 5 + (noise === "focus" ? -0.01 : 0.01);
  const models = SEEDS.flatMap((seed) => [
    made(TESTED, seed, 0.9, (noise) => ahead(seed, noise)),
    ...OPPONENTS.map((name) => made(name, seed, 0.9, () => 0.3 + seed / 5)),
  ]);
  const first = comparisonsOf(
    new Map([
      ["clean", models],
      ["occluded", []],
    ]),
  )[0];
  assert.deepEqual(
    first?.advantages.map(({ noise, bySeed }) => [noise, leads(bySeed)]),
    NOISE_NAMES.map((noise) => [noise, noise !== "focus"]),
  );
  const [persistent] = noiseFindings(
    new Map([
      ["clean", models],
      ["occluded", models],
    ]),
  ).filter(({ statement }) =>
    statement.includes("last step: under every persistent noise CascadedTD is more accurate than SerialCE"),
  );
  assert.equal(persistent?.comesOut, false);
  assert.match(
    persistent.measured,
    new RegExp(
      `under ${NOISE_NAMES.length - 1} of ${NOISE_NAMES.length} noises.*occlusion \\+1\\.0 ± 0\\.0, focus -1\\.0 ± 0\\.0.*\\(n = 3\\)`,
    ),
  );
});

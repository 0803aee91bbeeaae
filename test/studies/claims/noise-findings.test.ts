import assert from "node:assert/strict";
import { test } from "node:test";
import { CONDITIONS, type NoisyModel } from "../../../lib/studies/claims/noise/evaluation.js";
import { noiseFindings, noisesOf, OPPONENTS } from "../../../lib/studies/claims/noise/findings.js";
import { CASCADED_TD } from "../../../lib/studies/evidence/model-names.js";
import {
  accuracyUnder,
  noisyAccuracy,
  relativeDropOf,
  shareLeft,
} from "../../../lib/studies/claims/noise/quantities.js";
import { decided, verdictOf } from "../../../lib/studies/evidence/finding.js";
import { PairedArms } from "../../../lib/studies/evidence/paired-arms.js";
import { relativeDrop } from "../../../lib/trace/robustness.js";

/** A model of ten classes whose accuracy is chance at t = 0 and then `clean`, or `noisy(noise)` under noise. */
function made(model: string, seed: number, clean: number, noisy: (noise: string) => number): NoisyModel {
  return {
    model,
    seed,
    classes: 10,
    results: CONDITIONS.map(({ noise, schedule }) => {
      const accuracy = noise === "none" ? clean : noisy(noise);
      return { noise, schedule, accuracy: [0.1, accuracy, accuracy], accuracyWithoutGroup: [], curve: [] };
    }),
    withoutGroup: [],
  };
}

const SEEDS = [0, 1, 2];
const armsOf = (models: readonly NoisyModel[]): PairedArms<NoisyModel> =>
  new PairedArms(models.map((measured) => ({ arm: measured.model, seed: measured.seed, measured })));

test("relative drop: nothing lost is 0, down to chance is 1, and a model at chance has none", () => {
  assert.equal(relativeDrop(0.7, 0.7, 0.1), 0);
  assert.equal(relativeDrop(0.7, 0.1, 0.1), 1);
  assert.ok(Math.abs(relativeDrop(0.7, 0.4, 0.1) - 0.5) < 1e-12);
  assert.ok(relativeDrop(0.7, 0.8, 0.1) < 0);
  assert.ok(Number.isNaN(relativeDrop(0.1, 0.1, 0.1)));
});

test("last step, area over time, their drops, and the mean of several noises", () => {
  const model = made("CascadedTD", 0, 0.7, (noise) => (noise === "perlin" ? 0.4 : 0.7));
  const perlin = { noise: "perlin", schedule: "transient" };
  assert.equal(accuracyUnder(model, perlin, "last step"), 0.4);
  assert.ok(Math.abs(accuracyUnder(model, perlin, "over time") - (0.25 + 0.4) / 2) < 1e-12);
  assert.ok(Math.abs(relativeDropOf(model, perlin, "last step") - 0.5) < 1e-12);
  // Chance at t = 0 is nothing to lose: over time the share that is lost is the same half.
  assert.ok(Math.abs(relativeDropOf(model, perlin, "over time") - 0.5) < 1e-12);
  const all = noisesOf("transient");
  assert.ok(Math.abs(shareLeft(all, "last step").of(model) - 100 * (5.5 / 6)) < 1e-9);
  assert.ok(Math.abs(noisyAccuracy(all, "last step").of(model) - 100 * (3.9 / 6)) < 1e-9);
  assert.throws(
    () => accuracyUnder(model, { noise: "snow", schedule: "transient" }, "last step"),
    RangeError,
  );
});

test("a lead that is there without noise too is no robustness; one that noise makes is", () => {
  const findings = (tested: number) => {
    // Ahead of every other model by 20 points without noise.
    const arms = armsOf(
      SEEDS.flatMap((seed) => [
        made(CASCADED_TD, seed, 0.8 + seed / 100, () => tested),
        ...OPPONENTS.map((name) => made(name, seed, 0.6, () => 0.4)),
      ]),
    );
    return decided(
      noiseFindings(
        new Map([
          ["clean", arms],
          ["occluded", arms],
        ]),
      ),
    );
  };
  const same = findings(0.5);
  assert.equal(same.length, 2 * 3 * 2 * 2);
  assert.ok(same.every(({ outcome }) => outcome === "does not hold"));
  assert.equal(verdictOf({ findings: same }), "not reproduced");
  const robust = findings(0.7);
  assert.ok(robust.every(({ outcome }) => outcome === "holds"));
  assert.equal(verdictOf({ findings: robust }), "reproduced");
  assert.deepEqual(
    robust.filter(({ carries }) => carries).map(({ statement }) => statement.split(" (")[0]),
    ["persistent", "transient"].map(
      (schedule) =>
        `trained with occlusion, last step: on average over the ${schedule} noises CascadedTD keeps a larger share of its clean accuracy above chance than SerialCE`,
    ),
  );
});

test("seeds are compared pair by pair", () => {
  // Seeds differ by 20 points among themselves, but CascadedTD is always one point ahead.
  const level = (seed: number): number => 0.3 + seed / 5;
  const arms = armsOf(
    SEEDS.flatMap((seed) => [
      made(CASCADED_TD, seed, 0.9, () => level(seed) + 0.01),
      ...OPPONENTS.map((name) => made(name, seed, 0.9, () => level(seed))),
    ]),
  );
  const [first] = decided(noiseFindings(new Map([["occluded", arms]])));
  assert.equal(first?.outcome, "holds");
  assert.match(first.measured, /CascadedTD over SerialCE \+1\.\d points/);
});

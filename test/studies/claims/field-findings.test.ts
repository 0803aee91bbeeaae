import assert from "node:assert/strict";
import { test } from "node:test";
import { areaWithin, AXES, largestBudget } from "../../../lib/studies/claims/field/budgets.js";
import { findingsOf } from "../../../lib/studies/claims/field/findings.js";
import type { FieldModel } from "../../../lib/studies/claims/field/measured.js";
import { decided, verdictOf } from "../../../lib/studies/evidence/finding.js";
import { PairedArms } from "../../../lib/studies/evidence/paired-arms.js";

/** Two answers, at costs that differ from axis to axis. */
function made(accuracy: readonly number[], multiplyAdds: number[], parallelTimes: number[][]): FieldModel {
  return {
    classes: 10,
    accuracy: [...accuracy],
    withoutGroup: [0, 1].map((group) => ({ accuracy: accuracy.map((one) => one + 0.001 * group) })),
    multiplyAdds,
    milliseconds: multiplyAdds.map((cost) => cost / 1e6),
    parallelTimes,
    measures: {},
  };
}

const SEEDS = [0, 1, 2];
const RIVALS = ["SDN-ResNet", "MSDNet", "ResNets by width"];
/** A cascade that is sooner on parallel hardware with quick links, but takes more work; the same last accuracy but for a hair. */
const arms = PairedArms.grouped(
  SEEDS.flatMap((seed) => {
    const noise = 0.001 * seed;
    const cascade = made(
      [0.5 + noise, 0.7 + noise],
      [8e6, 40e6],
      [
        [1e6, 4e6],
        [50e6, 54e6],
      ],
    );
    const rival = made(
      [0.5 + noise, 0.71 + 0.5 * noise],
      [4e6, 20e6],
      [
        [4e6, 20e6],
        [6e6, 22e6],
      ],
    );
    return [
      { arm: "CascadedTD", seed, measured: cascade },
      ...RIVALS.map((arm) => ({ arm, seed, measured: rival })),
    ];
  }),
);

test("ahead where blocks work side by side over quick links, behind over work and over slow links: each axis is judged by itself", () => {
  const findings = decided(findingsOf(arms, [0, 1e7]));
  const outcomeOf = (part: string) =>
    findings.filter(({ statement }) => statement.includes(part)).map(({ outcome }) => outcome);
  assert.deepEqual(outcomeOf("budgets of parallel time (rule"), ["holds", "holds", "holds"]);
  assert.deepEqual(outcomeOf("budgets of multiply-adds"), Array(3).fill("does not hold"));
  assert.deepEqual(outcomeOf("budgets of measured time"), Array(3).fill("does not hold"));
  assert.deepEqual(outcomeOf("links of 10 million"), ["does not hold"]);
  assert.deepEqual(outcomeOf("last answer"), ["does not hold"]);
  assert.equal(verdictOf({ findings }), "reproduced");
  assert.deepEqual(
    findings.filter(({ carries }) => carries).map(({ by }) => by),
    ["paper", "paper"],
  );
});

test("areas over a budget are up to the slowest competitor's last answer, with a guess before the first", () => {
  const [parallel, work, time, energy] = AXES;
  assert.ok(parallel !== undefined && work !== undefined && time !== undefined && energy !== undefined);
  assert.deepEqual(
    AXES.map((axis) => Math.round(100 * largestBudget(arms, axis)) / 100),
    [20, 40, 40, 184],
  );
  const [area = NaN] = arms.bySeed("CascadedTD", areaWithin(parallel, 20));
  assert.ok(Math.abs(area - 100 * ((1 * 0.1 + 3 * 0.5 + 16 * 0.7) / 20)) < 1e-9);
  // Energy is multiply-adds in another unit.
  const [byWork = NaN] = arms.bySeed("MSDNet", areaWithin(work, 40));
  const [byEnergy = NaN] = arms.bySeed("MSDNet", areaWithin(energy, largestBudget(arms, energy)));
  assert.ok(Math.abs(byWork - byEnergy) < 1e-9);
});

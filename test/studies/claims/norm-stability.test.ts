import assert from "node:assert/strict";
import { test } from "node:test";
import {
  chosenConstants,
  type ValidatedTraining,
} from "../../../lib/studies/claims/norm-stability/choice.js";
import {
  NORM_STABILITY_SETTINGS,
  normStabilityStudy,
} from "../../../lib/studies/claims/norm-stability/study.js";
import { runStudy } from "../../../lib/studies/run-study.js";
import { StudyContext } from "../../../lib/studies/study-context.js";
import { temporaryFolder } from "../../temporary-folder.js";
import { DIVERGING } from "../small-study.js";
import { TINY_DATA, TINY_RESNETS } from "../../experiments/tiny-run.js";

const SEEDS = [0, 1, 2, 3, 4, 5, 6, 7];
const PUBLISHED = { epsilon: 0.1, momentum: 0.1 };
const OTHER = { epsilon: 0.01, momentum: 0.1 };

/** Eight seeds with both constants: by how much the other leads in each, in points, and how many fail with each. */
function trainings(leads: readonly number[], { published = 0, other = 0 } = {}): ValidatedTraining[] {
  return SEEDS.flatMap((seed, i) =>
    [
      { ...PUBLISHED, last: 50 + seed, failed: i < published },
      { ...OTHER, last: 50 + seed + (leads[i] ?? 0), failed: i < other },
    ].map(({ last, ...one }) => ({
      ...one,
      arm: "a",
      size: "s",
      seed,
      accuracies: one.failed ? {} : { last },
    })),
  );
}

test("the published value stays unless another is clearly more accurate or fails clearly less", () => {
  const chosen = (...given: Parameters<typeof trainings>): number =>
    chosenConstants(trainings(...given), PUBLISHED, [PUBLISHED, OTHER]).epsilon;
  assert.equal(chosen([]), 0.1);
  assert.equal(chosen([0.5, 1, 0.9, 1.1, 0.8, 1, 0.7, 1]), 0.1, "less than a point");
  assert.equal(chosen([9, -6, 8, -5, 7, -4, 6, -3]), 0.1, "above a point, but as likely nothing");
  assert.equal(chosen([2, 1.5, 2.5, 2, 1.8, 2.2, 1.9, 2.1]), 0.01);
  assert.equal(chosen([2, 1.5, 2.5, 2, 1.8, 2.2, 1.9, 2.1], { other: 1 }), 0.1, "better, but it fails");
  assert.equal(chosen([], { published: 3 }), 0.01);
  assert.equal(chosen([], { published: 3, other: 1 }), 0.1);
});

test("every training is counted, also one that diverges, and judged on images that it held out", async (context) => {
  const data = TINY_DATA;
  const { arms } = NORM_STABILITY_SETTINGS.quick;
  const [sound] = arms;
  assert.ok(sound !== undefined);
  const settings = {
    seeds: [1],
    change: TINY_RESNETS,
    epsilons: [1e-5, 0.1],
    momenta: [0.1, 1],
    arms: [sound, { ...sound, name: "wild", change: DIVERGING }],
  };
  const result = await runStudy(
    normStabilityStudy,
    settings,
    new StudyContext(data, await temporaryFolder(context)),
  );
  const table = (name: string) => result.tables.find((one) => one.name === name)?.rows ?? [];
  const runs = table("runs");
  assert.deepEqual(
    runs.map(({ model, outcome }) => [model, outcome === "diverged"]),
    [...Array<unknown>(4).fill(["CascadedTD", false]), ...Array<unknown>(4).fill(["wild", true])],
  );
  assert.equal(result.diverged?.length, 4);
  const rows = table("constants");
  assert.deepEqual(
    rows.map(({ diverged }) => diverged),
    [0, 0, 0, 0, 1, 1, 1, 1],
  );
  const last = 100 * Number(runs[1]?.["held out, t = 8"]);
  assert.ok(String(rows[1]?.["last"]).startsWith(last.toFixed(1)), JSON.stringify(rows[1]));
  const stable = result.findings.find(({ statement }) => statement.startsWith("With ε = 0.1"));
  assert.equal(stable?.outcome, "does not hold");
  // The momentum takes no part in training: each is counted once.
  assert.match(stable.measured, /^ε = 0.00001: \d of 2, ε = 0.1: \d of 2$/);
  const endPoints = result.findings.filter(({ carries }) => carries);
  assert.deepEqual(new Set(endPoints.map(({ outcome }) => outcome)), new Set(["not decided"]), "by one seed");
});

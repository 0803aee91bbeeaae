import assert from "node:assert/strict";
import { test } from "node:test";
import { trainingRun } from "../../../lib/experiments/runs/training-run.js";
import { tf } from "../../../lib/nn/tensorflow.js";
import { delaysStudy } from "../../../lib/studies/claims/delays/study.js";
import type { DelaysSettings } from "../../../lib/studies/claims/delays/trainings.js";
import { StudyContext } from "../../../lib/studies/study-context.js";
import { TINY_DATA, TINY_RESNETS } from "../../experiments/tiny-run.js";
import { combined } from "../../../lib/experiments/specs/spec-change.js";
import { folderOfTests } from "../../temporary-folder.js";

const root = folderOfTests("delays");

const change = TINY_RESNETS;
const settings: DelaysSettings = {
  seeds: [1, 2],
  change,
  smoothings: [0, 0.5],
  smallEpsilon: 1e-5,
  // Smoothing is over after so many steps: 0.5^80 is nothing in float32.
  long: { timesteps: 80, images: 20, change: combined(change, { trainImages: 40 }) },
};
const data = TINY_DATA;

test("a = 0 is the ordinary network at once, and smoothing arrives there in the long run", async () => {
  const context = new StudyContext(data, root);
  for (const spec of delaysStudy.trainings(settings, data))
    await trainingRun(spec, { root, dataset: await context.dataset(), quiet: true });
  const tensors = tf.memory().numTensors;
  const result = await delaysStudy.analyse(settings, context);
  assert.equal(tf.memory().numTensors, tensors);
  const rows = result.tables.find(({ name }) => name === "timesteps")?.rows ?? [];
  const accuracies = (part: string, arm: string, seed: number): number[] => {
    const row = rows.find((one) => one["part"] === part && one["arm"] === arm && one["seed"] === seed);
    return String(row?.["accuracy"]).split(" ").map(Number);
  };
  for (const seed of settings.seeds) {
    const ordinary = accuracies("ordinary weights", "a = 0", seed);
    assert.equal(ordinary.length, 9);
    assert.equal(new Set(ordinary).size, 1);
    assert.equal(accuracies("ordinary weights", "one-step delay", seed)[0], 0.1);
    const long = accuracies("long", "ordinary weights", seed);
    assert.equal(long.length, settings.long.timesteps);
    assert.equal(long.at(-1), ordinary[0]);
  }
  const arrives = result.findings.find(({ statement }) => /arrive at its accuracy/.test(statement));
  assert.equal(arrives?.outcome, "holds");
  assert.ok(result.figures.every(({ figure }) => figure.data.length > 0));
  assert.deepEqual(await delaysStudy.analyse(settings, context), result);
});

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { specHash } from "../../../lib/experiments/specs/spec-hash.js";
import { tf } from "../../../lib/nn/tensorflow.js";
import { NOISE_NAMES } from "../../../lib/noise/noises.js";
import { NOISE_SETTINGS, noiseStudy, type NoiseSettings } from "../../../lib/studies/claims/noise/study.js";
import { presetTrainings } from "../../../lib/studies/preset-trainings.js";
import { QUICK_DATA } from "../../../lib/studies/quick.js";
import { runStudy } from "../../../lib/studies/run-study.js";
import { StudyContext } from "../../../lib/studies/study-context.js";
import { UserError } from "../../../lib/util/errors.js";
import { tinyRunSpec } from "../../experiments/tiny-run.js";
import { folderOfTests } from "../../temporary-folder.js";

const root = folderOfTests("noise-study");

const { data } = tinyRunSpec("cascaded-td");
const settings: NoiseSettings = {
  seeds: [0, 1],
  change: { network: { width: 0.0625 }, train: { epochs: 1, batchSize: 16 } },
  occlusion: 4,
  images: 10,
  noiseSeed: 3,
  trainings: ["clean", "occluded"],
};

test("the trainings with occlusion are the other studies' own; those without it differ in that alone", () => {
  const presets = ["cascaded-td", "cascaded-ce", "serial-td-multihead"] as const;
  const specs = noiseStudy.trainings(
    { ...NOISE_SETTINGS.reduced, trainings: ["clean", "occluded"] },
    QUICK_DATA,
  );
  const main = presetTrainings(presets, { seeds: [0, 1, 2], change: { train: { epochs: 5 } } }, QUICK_DATA);
  assert.equal(specs.length, 2 * main.length);
  assert.deepEqual(specs.slice(main.length).map(specHash), main.map(specHash));
  for (const [i, { train, ...rest }] of specs.slice(0, main.length).entries()) {
    const augmentation = { ...train.augmentation, occlusion: 16 };
    assert.equal(train.augmentation.occlusion, 0);
    assert.deepEqual({ ...rest, train: { ...train, augmentation } }, main[i]);
  }
});

test("a tiny study: every model under every noise, computed once, and clean rows that lose nothing", async () => {
  await assert.rejects(noiseStudy.analyse(settings, new StudyContext(data, root)), UserError);
  const worked: string[] = [];
  const context = new StudyContext(data, root, (message) => worked.push(message));
  const tensors = tf.memory().numTensors;
  const result = await runStudy(noiseStudy, settings, context);
  assert.equal(tf.memory().numTensors, tensors);
  assert.equal(worked.length, 2 * 2 * 4);
  assert.equal(readdirSync(join(root, "analyses")).length, worked.length);
  const rows = result.tables.find(({ name }) => name === "all-conditions")?.rows ?? [];
  assert.equal(rows.length, 2 * (1 + 2 * NOISE_NAMES.length) * 4 * 2);
  for (const row of rows) {
    assert.equal(row["n"], 2);
    const [accuracy, difference] = [Number(row["accuracy"]), Number(row["difference"])];
    assert.ok(accuracy >= 0 && accuracy <= 1);
    if (row["noise"] === "none") assert.equal(difference, 0);
  }
  assert.deepEqual(
    result.figures.map(({ name }) => name),
    [
      "pictures",
      "accuracy-under-noise-clean",
      "speed-accuracy-under-noise-clean",
      "accuracy-under-noise-occluded",
      "speed-accuracy-under-noise-occluded",
      "drop",
    ],
  );
  assert.deepEqual(await noiseStudy.analyse(settings, context), result);
  assert.equal(worked.length, 2 * 2 * 4, "nothing is computed twice");
});

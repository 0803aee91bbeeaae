import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { resolveDatasetSource } from "../../../lib/datasets/source.js";
import { openTrainedModel } from "../../../lib/experiments/runs/trained-model.js";
import { trainingImages } from "../../../lib/experiments/runs/image-splits.js";
import { tf } from "../../../lib/nn/tensorflow.js";
import { runStudy } from "../../../lib/studies/run-study.js";
import type { StudyResult } from "../../../lib/studies/study.js";
import { StudyContext } from "../../../lib/studies/study-context.js";
import { type TypicalitySettings, typicalityStudy } from "../../../lib/studies/claims/typicality/study.js";
import {
  heldOutImages,
  traceTypicality,
} from "../../../lib/studies/claims/typicality/typicality-of-trace.js";
import { recipeTrace } from "../../../lib/experiments/parity/recipe-trace.js";
import { stoppingTimes } from "../../../lib/trace/stopping-time.js";
import { UserError } from "../../../lib/util/errors.js";
import { spearman } from "../../../lib/util/statistics.js";
import { TINY_RESNETS } from "../../experiments/tiny-run.js";
import { combined } from "../../../lib/experiments/specs/spec-change.js";
import { folderOfTests } from "../../temporary-folder.js";

const root = folderOfTests("typicality");

const procedural = (seed: number) =>
  resolveDatasetSource({ kind: "procedural", classes: 4, size: 8, train: 96, test: 12, seed });
const data = procedural(0);
const change = combined(TINY_RESNETS, { validation: 0.25 });
const settings: TypicalitySettings = {
  seeds: [1, 2],
  change,
  resamples: 20,
  constructed: { data: procedural(5), change },
};

type Rows = StudyResult["tables"][number]["rows"];
const rowsOf = (result: StudyResult, name: string): Rows => {
  const table = result.tables.find((one) => one.name === name);
  assert.ok(table, `no table ${name}`);
  return table.rows;
};

test("latency is measured on the images that the weights were not trained on, and kept", async () => {
  const context = new StudyContext(data, root);
  const result = await runStudy(typicalityStudy, settings, context);
  const tensors = tf.memory().numTensors;
  const runs = rowsOf(result, "runs");
  assert.equal(runs.length, 3 * settings.seeds.length * (3 + 1));
  const dataset = await context.dataset();
  const specs = typicalityStudy.trainings(settings, data).filter((one) => isDeepStrictEqual(one.data, data));
  assert.equal(specs.length, 3 * settings.seeds.length);
  for (const spec of specs) {
    const { train, validation } = trainingImages(spec, dataset);
    const held = await heldOutImages(spec, context);
    assert.deepEqual(held.set.ids, validation.ids);
    assert.ok(!held.set.ids.some((id) => train.ids.includes(id)));
    const directory = context.run(spec);
    const model = await openTrainedModel(directory);
    const trace = model.trace(validation);
    model.dispose();
    for (const threshold of [0.5, 0.7, 0.9]) {
      const times = stoppingTimes(trace, { kind: "confidence", threshold });
      const row = runs.find(
        (one) =>
          one["images"] === "data set" &&
          one["model"] === trace.model &&
          one["seed"] === spec.seed &&
          one["threshold"] === threshold,
      );
      assert.ok(row, `${trace.model ?? ""} ${threshold}`);
      assert.deepEqual(row["rho"], spearman(validation.cScores ?? [], times));
      assert.equal(row["meanLatency"], times.reduce((sum, t) => sum + t, 0) / times.length);
    }
  }
  // 24 held-out images of 4 classes: 3 of each end for each class.
  const pictures = result.figures.find(({ name }) => name === "images");
  assert.equal((pictures?.figure.layout["images"] as unknown[]).length, 4 * 6);
  assert.deepEqual(await typicalityStudy.analyse(settings, context), result);
  assert.equal(tf.memory().numTensors, tensors);
});

test("a rule that stops easy examples sooner has rho and its interval below 0, all and rightly answered", () => {
  const { trace, ease } = recipeTrace(9, 300, 10);
  const scores = Float32Array.from(ease, (value) => (value + 1) / 2);
  const { thresholds, extremes } = traceTypicality(trace, scores, 0, 100);
  for (const { correlations } of thresholds)
    for (const relation of ["latency", "latency of right answers"] as const) {
      const { low, rho, high } = correlations[relation];
      assert.ok(low < rho && rho < high && high < 0);
    }
  for (const label of trace.labels.slice(0, 10)) {
    const own = extremes.filter((one) => one.label === label);
    const inClass = Array.from(scores).filter((_, n) => trace.labels[n] === label);
    const sorted = inClass.sort((a, b) => b - a);
    assert.deepEqual(
      own.map(({ cScore }) => cScore),
      [...sorted.slice(0, 3), ...sorted.slice(-3)],
    );
  }
});

test("without C-scores the constructed images alone are studied; without held-out images there is an error", async () => {
  const folder = resolveDatasetSource({ kind: "folder", path: "images" });
  const specs = typicalityStudy.trainings(settings, folder);
  assert.deepEqual(
    specs.map((spec) => spec.data),
    settings.seeds.map(() => settings.constructed.data),
  );
  const context = new StudyContext(data, root);
  const [spec] = typicalityStudy.trainings({ ...settings, change: { validation: 0 } }, data);
  assert.ok(spec);
  await assert.rejects(heldOutImages(spec, context), UserError);
});

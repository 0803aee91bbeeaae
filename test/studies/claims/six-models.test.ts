import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { tf } from "../../../lib/nn/tensorflow.js";
import { type SixModelsSettings, sixModelsStudy } from "../../../lib/studies/claims/six-models/study.js";
import { runStudy } from "../../../lib/studies/run-study.js";
import type { StudyResult } from "../../../lib/studies/study.js";
import { StudyContext } from "../../../lib/studies/study-context.js";
import { areaUnderAccuracy } from "../../../lib/trace/area.js";
import { correctness } from "../../../lib/trace/probabilities.js";
import { readTrace } from "../../../lib/trace/trace-file.js";
import { TINY_DATA, TINY_RESNETS } from "../../experiments/tiny-run.js";
import { folderOfTests } from "../../temporary-folder.js";

const root = folderOfTests("six-models");

const MODELS = [
  "CascadedTD",
  "CascadedTD-MultiHead",
  "CascadedCE",
  "SerialTD",
  "SerialTD-MultiHead",
  "SerialCE",
  "SDN",
];
const settings: SixModelsSettings = {
  seeds: [1, 2],
  change: TINY_RESNETS,
  timings: 1,
};
const data = TINY_DATA;

type Rows = Readonly<Record<string, string | number>>[];
const rowsOf = (result: StudyResult, name: string): Rows => {
  const table = result.tables.find((one) => one.name === name);
  assert.ok(table, `no table ${name}`);
  return [...table.rows];
};

test("six trainings a seed give six models and SDN; rows and findings are those of their traces; a second call is the same", async () => {
  const context = new StudyContext(data, root);
  await assert.rejects(sixModelsStudy.analyse(settings, context), /^UserError: .* is not finished/);
  const specs = sixModelsStudy.trainings(settings, data);
  assert.equal(specs.length, 6 * settings.seeds.length);
  const result = await runStudy(sixModelsStudy, settings, context);
  const tensors = tf.memory().numTensors;

  const runs = rowsOf(result, "runs");
  const timesteps = rowsOf(result, "timesteps");
  assert.deepEqual(
    runs.map(({ model, seed }) => `${String(model)} ${String(seed)}`).sort(),
    settings.seeds.flatMap((seed) => MODELS.map((model) => `${model} ${seed}`)).sort(),
  );
  for (const { model, seed, run, area } of runs) {
    const spec = specs.map((one) => context.run(one)).find((directory) => directory.endsWith(String(run)));
    const trace = await readTrace(join(String(spec), `trace-${String(model)}.arrow`));
    const correct = correctness(trace);
    const own = timesteps.filter((row) => row["model"] === model && row["seed"] === seed);
    assert.equal(own.length, 9);
    own.forEach(({ accuracy, milliseconds }, t) => {
      const right = correct.subarray(20 * t, 20 * (t + 1)).reduce((sum, one) => sum + one, 0);
      assert.equal(accuracy, right / 20);
      assert.ok(Number(milliseconds) >= Number(own[t - 1]?.["milliseconds"] ?? 0));
    });
    assert.equal(area, areaUnderAccuracy(own.map(({ accuracy }) => Number(accuracy))));
  }
  for (const seed of settings.seeds) {
    const ce = runs.filter((row) => row["seed"] === seed && String(row["model"]).endsWith("CE"));
    assert.equal(new Set(ce.map(({ run }) => run)).size, 1, "the two CE models are the same weights");
  }

  const accuracy = (model: string, seed: number, t: number): number =>
    Number(
      timesteps.find((row) => row["model"] === model && row["seed"] === seed && row["timestep"] === t)?.[
        "accuracy"
      ],
    );
  for (const t of [1, 2, 3, 4]) {
    const finding = result.findings.find(({ statement }) => statement.includes(`at t = ${t} `));
    assert.deepEqual(
      finding?.contrasts.map(({ of }) => of),
      MODELS.slice(1).map((other) => `CascadedTD over ${other}`),
    );
    finding.contrasts.forEach(({ mean, n }, i) => {
      const leads = settings.seeds.map(
        (seed) => accuracy("CascadedTD", seed, t) - accuracy(MODELS[i + 1] ?? "", seed, t),
      );
      assert.ok(Math.abs(mean - 50 * leads.reduce((sum, lead) => sum + lead)) < 1e-9);
      assert.equal(n, 2);
    });
  }

  // Beside confidence stands the deadline, and beside accuracy at t that at a mean stopping time.
  const deadline = result.findings.find(({ statement }) => statement.startsWith("Stopping when confident"));
  assert.equal(deadline?.by, "project");
  assert.equal(deadline.contrasts[0]?.n, 2);
  const [atSpeed] = rowsOf(result, "accuracy-at-speed");
  assert.deepEqual(Object.keys(atSpeed ?? {}), ["model", "mean stop 1", "mean stop 2", "mean stop 3", "n"]);

  // Measured times are cached, so nothing is measured anew.
  assert.deepEqual(await sixModelsStudy.analyse(settings, context), result);
  assert.equal(tf.memory().numTensors, tensors);
});

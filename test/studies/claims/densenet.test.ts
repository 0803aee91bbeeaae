import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { widthOf } from "../../../lib/experiments/specs/network-spec.js";
import { presetNamed } from "../../../lib/experiments/specs/presets.js";
import { tf } from "../../../lib/nn/tensorflow.js";
import {
  DENSENET_SETTINGS,
  type DenseNetSettings,
  densenetStudy,
} from "../../../lib/studies/claims/densenet/study.js";
import { runStudy } from "../../../lib/studies/run-study.js";
import { StudyContext } from "../../../lib/studies/study-context.js";
import { accuracyPerTimestep } from "../../../lib/trace/accuracy-per-timestep.js";
import { readTrace } from "../../../lib/trace/trace-file.js";
import { TINY_DATA, TINY_RESNETS, TINY_TRAINING } from "../../experiments/tiny-run.js";
import { combined } from "../../../lib/experiments/specs/spec-change.js";
import { folderOfTests } from "../../temporary-folder.js";

const root = folderOfTests("densenet-study");

const settings: DenseNetSettings = {
  seeds: [1, 2],
  change: combined({ network: { growth: 2, layers: [2, 3] } }, TINY_TRAINING),
  resNetChange: TINY_RESNETS,
};
const data = TINY_DATA;
const TD = "DenseNet-CascadedTD";
const MODELS = [TD, "DenseNet-CascadedCE", "DenseNet-SerialCE", "DenseNet-SerialTD-MultiHead"];

test("five trainings a seed; rows, verdicts and figures are those of their traces", async () => {
  const context = new StudyContext(data, root);
  const specs = densenetStudy.trainings(settings, data);
  assert.equal(specs.length, 5 * settings.seeds.length);
  await assert.rejects(densenetStudy.analyse(settings, context), /^UserError: .* is not finished/);
  const { findings, tables, figures } = await runStudy(densenetStudy, settings, context);
  const tensors = tf.memory().numTensors;

  const accuracies = new Map<string, number[]>();
  for (const spec of specs.filter(({ network }) => network.architecture === "densenet"))
    for (const model of MODELS) {
      const trace = await readTrace(join(context.run(spec), `trace-${model}.arrow`)).catch(() => undefined);
      if (trace !== undefined) accuracies.set(`${model} ${spec.seed}`, [...accuracyPerTimestep(trace)]);
    }
  assert.equal(accuracies.size, MODELS.length * settings.seeds.length);
  const at = (model: string, seed: number, t: number): number =>
    accuracies.get(`${model} ${seed}`)?.[t] ?? NaN;
  // Five dense layers: six timesteps, of which t = 1 and t = 2 count as early.
  const early = (model: string, seed: number): number => (at(model, seed, 1) + at(model, seed, 2)) / 2;
  const ahead = findings.find(({ statement }) => statement.includes("at early timesteps"));
  assert.match(ahead?.statement ?? "", /t = 1 to 2 of 5/);
  const leads = MODELS.slice(1).map((other) =>
    settings.seeds.map((seed) => 100 * (early(TD, seed) - early(other, seed))),
  );
  ahead?.contrasts.forEach(({ of, mean }, i) => {
    const [first = NaN, second = NaN] = leads[i] ?? [];
    assert.equal(of, `${TD} over ${MODELS[i + 1] ?? ""}`);
    assert.ok(Math.abs(mean - (first + second) / 2) < 1e-9);
  });
  assert.equal(ahead?.contrasts.length, 3);

  const rowsOf = (name: string) => tables.find((table) => table.name === name)?.rows ?? [];
  assert.deepEqual(
    rowsOf("densenet").map(({ model }) => model),
    MODELS,
  );
  assert.deepEqual(
    rowsOf("exit-weights").map(({ model }) => model),
    ["SerialTD-MultiHead", "SDN"],
  );
  assert.equal(rowsOf("runs").length, (4 + 2) * settings.seeds.length);
  for (const { name, figure } of figures) {
    const drawn = figure.data.flatMap((one) => (one["showlegend"] === false ? [] : [one["name"]]));
    assert.equal(new Set(drawn).size, name.startsWith("exit") ? 2 : 4, name);
  }
  assert.equal(tf.memory().numTensors, tensors);
});

test("every protocol's settings give valid specs; the reduced ResNets see as much as the DenseNets", () => {
  for (const one of Object.values(DENSENET_SETTINGS)) densenetStudy.trainings(one, data);
  const reduced = densenetStudy.trainings(DENSENET_SETTINGS.reduced, data);
  const resNet = reduced.filter(({ network }) => network.architecture === "resnet");
  assert.equal(resNet.length, 2 * 3);
  for (const { train, network, trainImages } of resNet)
    assert.deepEqual([train.epochs, widthOf(network), trainImages], [3, 0.25, 10000]);
  const [full] = densenetStudy.trainings(DENSENET_SETTINGS.full, data);
  assert.deepEqual(full?.network, presetNamed("densenet-cascaded-td").network);
});

import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  divergedSummary,
  type Divergence,
  divergenceText,
  notFinite,
  notFiniteState,
} from "../../../lib/experiments/runs/divergence.js";
import { readRun } from "../../../lib/experiments/runs/run-record.js";
import { openTrainedModel } from "../../../lib/experiments/runs/trained-model.js";
import { runSummary } from "../../../lib/experiments/runs/run-summary.js";
import { trainingRun } from "../../../lib/experiments/runs/training-run.js";
import { tf } from "../../../lib/nn/tensorflow.js";
import { UserError } from "../../../lib/util/errors.js";
import { tinyRunSpec } from "../tiny-run.js";
import { emptyRoot, losses } from "./training-run-helpers.js";

test("a training that diverges is done: it says where, is not trained again and gives no model", async () => {
  const root = emptyRoot();
  const warnings: string[] = [];
  const options = { root, quiet: true, warn: (message: string) => warnings.push(message) };
  const tensors = tf.memory().numTensors;
  const spec = tinyRunSpec("cascaded-td", { train: { learningRate: 100, weightDecay: 1, epochs: 10 } });
  const directory = await trainingRun(spec, options);
  assert.equal(tf.memory().numTensors, tensors);
  const summary = divergedSummary(directory);
  assert.ok(summary !== null);
  const { step, epoch, quantity, value, lastLoss } = summary.diverged;
  // Four steps an epoch.
  assert.equal(epoch, Math.floor((step - 1) / 4));
  assert.ok(step > 1 && step < 40 && summary.steps === step, `step ${step}`);
  assert.match(quantity, /^(loss|weights|velocities|running statistics)$/);
  assert.match(value, /^(NaN|-?Infinity)$/);
  assert.ok(lastLoss !== null && Number.isFinite(lastLoss));
  const text = divergenceText(summary.diverged);
  assert.match(text, /^the [a-z ]+ became \S+ at step \d+, in epoch \d+; the last finite loss was \d\S*$/);
  assert.deepEqual(warnings, [`${directory} diverged: ${text}`]);
  const metrics = readRun(directory).readMetrics();
  assert.equal(metrics.at(-1)?.["diverged"], text);
  assert.ok(losses(directory).every(Number.isFinite), "no loss that is no number");

  const written = statSync(join(directory, "DONE.json")).mtimeMs;
  assert.equal(await trainingRun(spec, options), directory);
  assert.equal(statSync(join(directory, "DONE.json")).mtimeMs, written);
  const says = (error: unknown): boolean => {
    assert.ok(error instanceof UserError);
    assert.ok(
      error.message.startsWith(`${directory} gives no model, because its training diverged: ${text}; `),
    );
    return true;
  };
  assert.throws(() => runSummary(directory), says);
  await assert.rejects(openTrainedModel(directory), says);
});

test("what is not finite after the last step is a divergence too, though no loss tells it", async () => {
  // One step an epoch, so that a training of fewer epochs takes the very same steps.
  const trained = async (epochs: number): Promise<Divergence | undefined> => {
    const train = {
      learningRate: 100,
      weightDecay: 1,
      schedule: { kind: "constant" },
      batchSize: 80,
      epochs,
    };
    const spec = { ...tinyRunSpec("cascaded-td", { train }), validation: 0 };
    const options = { root: emptyRoot(), quiet: true, warn: () => undefined };
    return divergedSummary(await trainingRun(spec, options))?.diverged;
  };
  const long = await trained(40);
  assert.ok(long !== undefined && long.quantity === "loss", JSON.stringify(long));
  const short = await trained(long.step - 1);
  assert.ok(short !== undefined && short.quantity !== "loss", JSON.stringify(short));
  assert.deepEqual([short.step, short.epoch], [long.step - 1, long.step - 2]);
});

test("the first value that is not finite is found and named, in a state by what holds it", () => {
  assert.equal(notFinite("logits", [1, -3e38, 0]), null);
  assert.deepEqual(notFinite("logits", [1, -Infinity, NaN]), { quantity: "logits", value: "-Infinity" });
  const state = (name: string) =>
    notFiniteState(
      new Map([
        ["block1.scale", { dtype: "F32", shape: [1], data: Float32Array.of(1) }],
        [name, { dtype: "F32", shape: [2], data: Float32Array.of(1, NaN) }],
      ]),
    )?.quantity;
  assert.deepEqual(["velocity/block1.scale", "block1.norm1.variance", "block1.conv1.filter"].map(state), [
    "velocities",
    "running statistics",
    "weights",
  ]);
});

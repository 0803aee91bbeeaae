import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { openTrainedModel } from "../../../lib/experiments/runs/trained-model.js";
import { trainingRun } from "../../../lib/experiments/runs/training-run.js";
import { tf } from "../../../lib/nn/tensorflow.js";
import { temporaryFolder } from "../../temporary-folder.js";
import { tinyRunSpec } from "../tiny-run.js";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

test("streams that were begun and forgotten hold no tensors once they are collected", async (context) => {
  const spec = tinyRunSpec("cascaded-td", { train: { epochs: 1 } });
  const model = await openTrainedModel(
    await trainingRun(spec, { root: await temporaryFolder(context), quiet: true }),
  );
  const image = new Uint8Array(8 * 8 * 3).fill(99);
  assert.equal([...model.stream(image)].length, 9);
  const before = tf.memory().numTensors;
  const begin = (): void => {
    for (let i = 0; i < 20; i++) assert.equal(model.stream(image).next().done, false);
  };
  begin();
  assert.ok(tf.memory().numTensors > before, "a stream half-way holds its image at least");
  for (let turn = 0; turn < 50 && tf.memory().numTensors > before; turn++) {
    collect();
    await new Promise(setImmediate);
  }
  assert.equal(tf.memory().numTensors, before);
  assert.throws(() => model.stream(new Uint8Array(10)), /is no square RGB image|are no square RGB image/);
  model.dispose();
});

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { loadDataset } from "../../../lib/datasets/load.js";
import { testImages } from "../../../lib/experiments/runs/image-splits.js";
import { readRun } from "../../../lib/experiments/runs/run-record.js";
import { testTrace } from "../../../lib/experiments/runs/run-trace.js";
import { openTrainedModel } from "../../../lib/experiments/runs/trained-model.js";
import { trainingRun } from "../../../lib/experiments/runs/training-run.js";
import type { RunSpec } from "../../../lib/experiments/specs/spec.js";
import { tf } from "../../../lib/nn/tensorflow.js";
import { Stopped } from "../../../lib/util/stopping.js";
import { TINY_OPPONENTS } from "../tiny-opponents.js";
import { folderOfTests } from "../../temporary-folder.js";

const folder = folderOfTests("multi-exit-run");

const emptyRoot = (): string => mkdtempSync(join(folder, "root-"));

/** Trains until the first checkpoint, stops, and goes on with another call. */
async function interrupted(spec: RunSpec): Promise<string> {
  const root = emptyRoot();
  const stop = new AbortController();
  const warnings: string[] = [];
  const dataset = await loadDataset(spec.data);
  const options = { root, dataset, quiet: true, warn: (text: string) => void warnings.push(text) };
  setImmediate(() => {
    stop.abort();
  });
  await assert.rejects(trainingRun(spec, { ...options, signal: stop.signal }), Stopped);
  const run = await trainingRun(spec, options);
  assert.match(warnings.join("\n"), /goes on after step \d+ of \d+/);
  return run;
}

for (const [name, spec] of Object.entries(TINY_OPPONENTS)) {
  test(`${name}: stopped and gone on with it ends as if left alone, and gives its stored trace again, exit by exit`, async () => {
    const whole = await trainingRun(spec, { root: emptyRoot(), quiet: true });
    const resumed = await interrupted(spec);
    for (const file of Object.keys(readRun(whole).done?.files ?? {}).filter((one) =>
      /^(model|trace)/.test(one),
    ))
      assert.deepEqual(readFileSync(join(resumed, file)), readFileSync(join(whole, file)), file);

    const tensors = tf.memory().numTensors;
    const model = await openTrainedModel(whole);
    const stored = await testTrace(whole, model.model);
    const images = testImages(spec, await loadDataset(spec.data));
    assert.deepEqual(model.trace(images).logits, stored.logits);
    assert.equal(stored.cost?.multiplyAdds.length, model.network.timesteps);
    const answers = [...model.stream(images.images.subarray(0, images.images.length / stored.examples))];
    assert.equal(answers.length, stored.timesteps);
    for (const { timestep, logits } of answers) {
      const start = timestep * stored.examples * stored.classes;
      logits.forEach((logit, k) => {
        assert.ok(Math.abs(logit - (stored.logits[start + k] ?? NaN)) < 1e-4);
      });
    }
    // A caller may go after the first answer.
    for (const { timestep } of model.stream(
      images.images.subarray(0, images.images.length / stored.examples),
    ))
      if (timestep === 0) break;
    model.dispose();
    assert.equal(tf.memory().numTensors, tensors);
    await assert.rejects(
      openTrainedModel(whole, { timesteps: 3 }),
      /^UserError: .* holds a feed-forward network, which answers once at each of its exits; leave timesteps and delay out$/,
    );
  });
}

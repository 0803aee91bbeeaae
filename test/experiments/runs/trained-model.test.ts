import assert from "node:assert/strict";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { loadDataset } from "../../../lib/datasets/load.js";
import { valuesPerImage } from "../../../lib/util/image-size.js";
import { openTrainedModel } from "../../../lib/experiments/runs/trained-model.js";
import { testImages } from "../../../lib/experiments/runs/image-splits.js";
import { trainingRun } from "../../../lib/experiments/runs/training-run.js";
import { tf } from "../../../lib/nn/tensorflow.js";
import { readTrace } from "../../../lib/trace/trace-file.js";
import { UserError } from "../../../lib/util/errors.js";
import { tinyRunSpec } from "../tiny-run.js";
import { folderOfTests } from "../../temporary-folder.js";

const root = folderOfTests("trained-model");

const spec = tinyRunSpec("cascaded-ce");
const run = await trainingRun(spec, { root, quiet: true });
const dataset = await loadDataset(spec.data);
const images = testImages(spec, dataset);

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  assert.equal(a.length, b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs((a[i] ?? NaN) - (b[i] ?? NaN)));
  return largest;
}

test("each model of a finished run gives its stored trace again, and streams it image by image", async () => {
  const tensors = tf.memory().numTensors;
  for (const name of ["CascadedCE", "SerialCE"]) {
    const model = await openTrainedModel(run, { model: name });
    const stored = await readTrace(join(run, `trace-${name}.arrow`));
    // What is stored says besides what it is of.
    assert.deepEqual({ ...model.trace(images), data: dataset.hash, split: "test" }, stored);
    assert.equal(stored.model, name);
    assert.ok(run.endsWith(stored.run ?? "none"));

    const { timesteps, examples, classes, logits } = stored;
    const size = valuesPerImage(images.size);
    for (const n of [0, 7]) {
      const steps = [...model.stream(images.images.subarray(n * size, (n + 1) * size))];
      assert.equal(steps.length, timesteps);
      for (const { timestep, logits: row } of steps) {
        const start = (timestep * examples + n) * classes;
        assert.ok(largestDifference(row, logits.subarray(start, start + classes)) < 1e-5);
      }
    }
    assert.throws(() => model.stream(new Uint8Array(100)).next(), UserError);
    model.dispose();
    assert.equal(tf.memory().numTensors, tensors);
  }
});

test("more timesteps leave the trained ones as they are; fewer are the first of them", async () => {
  for (const name of ["CascadedCE", "SerialCE"])
    for (const timesteps of [12, 3]) {
      const model = await openTrainedModel(run, { model: name, timesteps });
      const { logits, timesteps: rows } = model.trace(images);
      model.dispose();
      const stored = await readTrace(join(run, `trace-${name}.arrow`));
      const common = Math.min(logits.length, stored.logits.length);
      assert.equal(rows, timesteps);
      assert.ok(largestDifference(logits.subarray(0, common), stored.logits.subarray(0, common)) < 1e-5);
    }
});

test("run for long enough, cascade and serial run end as the same ordinary network", async () => {
  const [cascade, serial] = await Promise.all(
    ["CascadedCE", "SerialCE"].map(async (name) => {
      const model = await openTrainedModel(run, { model: name, timesteps: 12 });
      const { logits, timesteps } = model.trace(images);
      model.dispose();
      const step = logits.length / timesteps;
      return (t: number) => logits.subarray(t * step, (t + 1) * step);
    }),
  );
  assert.ok(cascade !== undefined && serial !== undefined);
  // What block 8 makes of its final input, which comes at t = 8, is delayed to t = 9; by then it is one network.
  for (const t of [9, 10, 11]) {
    assert.ok(largestDifference(serial(t), serial(9)) < 1e-5);
    assert.ok(largestDifference(cascade(t), serial(9)) < 1e-5);
  }
  assert.ok(largestDifference(serial(8), serial(9)) > 1e-3);
  assert.ok(largestDifference(serial(7), serial(8)) > 1e-3);
  // The last step in training: both have taken in the same.
  assert.ok(largestDifference(cascade(8), serial(8)) < 1e-5);
  assert.ok(largestDifference(cascade(7), serial(7)) > 1e-3);
});

test("a run that cannot be opened is refused in one clear sentence, and nothing stays in memory", async () => {
  const tensors = tf.memory().numTensors;
  const refused = async (
    directory: string,
    options: Parameters<typeof openTrainedModel>[1],
    message: RegExp,
  ): Promise<void> => {
    await assert.rejects(openTrainedModel(directory, options), (error) => {
      assert.ok(error instanceof UserError, String(error));
      assert.match(error.message, message);
      return true;
    });
  };
  const copy = (name: string): string => {
    const directory = join(root, name);
    cpSync(run, directory, { recursive: true });
    return directory;
  };
  await refused(run, { model: "CascadedTD" }, /gives no model "CascadedTD"; it gives CascadedCE, SerialCE$/);
  await refused(run, { timesteps: 1 }, /network\.timesteps is 1; allowed: .*at least 2/);
  await refused(join(root, "nowhere"), {}, /nowhere holds no run: it has no spec\.json$/);

  const damaged = copy("damaged");
  const path = join(damaged, "model.safetensors");
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 3) ^ 1, bytes.length - 3);
  writeFileSync(path, bytes);
  await refused(damaged, {}, /model\.safetensors is damaged: it is not the file that DONE\.json names/);
  rmSync(path);
  await refused(damaged, {}, /cannot read .*model\.safetensors: there is no such file/);

  const unfinished = copy("unfinished");
  rmSync(join(unfinished, "DONE.json"));
  const goesOn = (words: string) =>
    new RegExp(`is not finished; call "cascade run ${words}" to go on with it$`);
  await refused(unfinished, {}, goesOn(`${unfinished}/spec\\.json --out ${root}`));
  const elsewhere = join(root, "bob's runs", "one");
  cpSync(unfinished, elsewhere, { recursive: true });
  const quoted = `'${root}/bob'\\\\''s runs`;
  await refused(elsewhere, {}, goesOn(`${quoted}/one/spec\\.json' --out ${quoted}'`));
  const usual = join("data", "runs", "one");
  cpSync(unfinished, join(root, usual), { recursive: true });
  process.chdir(root);
  await refused(usual, {}, goesOn(`${usual}/spec\\.json`));

  const multihead = tinyRunSpec("serial-td-multihead", { network: { timesteps: 4 }, train: { epochs: 1 } });
  const heads = await trainingRun(multihead, { root, quiet: true });
  await refused(heads, { timesteps: 5 }, /SerialTD-MultiHead has a head for each of its 4 timesteps/);
  (await openTrainedModel(heads, { timesteps: 3 })).dispose();
  assert.equal(tf.memory().numTensors, tensors);
});

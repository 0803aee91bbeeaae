import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isCheckpointFile } from "../../../lib/experiments/runs/checkpoint-folder.js";
import type { RunSpec } from "../../../lib/experiments/specs/spec.js";
import { runSummary } from "../../../lib/experiments/runs/run-summary.js";
import { trainingRun } from "../../../lib/experiments/runs/training-run.js";
import { UserError } from "../../../lib/util/errors.js";
import { tinyRunSpec } from "../tiny-run.js";
import { emptyRoot, losses, mean } from "./training-run-helpers.js";

test("a finished training is checked and found done, not trained again; a damaged one is named", async () => {
  const root = emptyRoot();
  const spec = tinyRunSpec("serial-td-multihead");
  const directory = await trainingRun(spec, { root, quiet: true });
  const files = (): object =>
    Object.fromEntries(
      readdirSync(directory).map((name) => {
        const { mtimeMs, ino } = statSync(join(directory, name));
        return [name, { mtimeMs, ino }];
      }),
    );
  const before = files();
  // A process that was killed between its last file and the end of its lock leaves the lock.
  mkdirSync(join(directory, ".lock"));
  assert.equal(await trainingRun(spec, { root, quiet: true }), directory);
  assert.deepEqual(files(), before);
  assert.equal(readdirSync(root).length, 1);
  // Its checkpoints may be deleted to save room.
  for (const name of readdirSync(directory)) if (isCheckpointFile(name)) rmSync(join(directory, name));
  assert.equal(await trainingRun(spec, { root, quiet: true }), directory);

  const path = join(directory, "model.safetensors");
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 5) ^ 1, bytes.length - 5);
  writeFileSync(path, bytes);
  await assert.rejects(trainingRun(spec, { root, quiet: true }), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /is damaged: model\.safetensors has changed; delete the folder/);
    return true;
  });
});

test("an easy set is learnt: well above chance at the last timestep, exactly chance at t = 0", async () => {
  const spec = tinyRunSpec("cascaded-td", {
    data: { classes: 4, size: 16, train: 320, test: 100 },
    train: { epochs: 5, augmentation: { crop: 1, flip: true, occlusion: 0 } },
  });
  const directory = await trainingRun(spec, { root: emptyRoot(), quiet: true });
  const [model] = runSummary(directory).models;
  // Nothing of the image has arrived at t = 0: one answer for all, right for one class of four.
  assert.equal(model?.accuracy[0], 0.25);
  // Backends round differently, and such a short training magnifies it: three standard errors above chance are asked.
  const chance = 0.25 + 3 * Math.sqrt((0.25 * 0.75) / 100);
  assert.ok((model.accuracy.at(-1) ?? 0) > chance, model.accuracy.join(" "));
  const seen = losses(directory);
  const third = Math.floor(seen.length / 3);
  assert.ok(mean(seen.slice(-third)) < mean(seen.slice(0, third)) - 1, seen.join(" "));
});

test("the loss of the first ten steps is finite and falls on average", async () => {
  // One batch is all of the training images, so that every step ends an epoch and is recorded.
  const spec = tinyRunSpec("serial-td", {
    data: { classes: 4, train: 32 },
    train: { batchSize: 28, epochs: 10, learningRate: 0.03, schedule: { kind: "constant" } },
  });
  const seen = losses(await trainingRun(spec, { root: emptyRoot(), quiet: true }));
  assert.equal(seen.length, 10);
  assert.ok(seen.every(Number.isFinite), seen.join(" "));
  assert.ok(mean(seen.slice(5)) < mean(seen.slice(0, 5)), seen.join(" "));
});

test("a training that cannot be is refused in one clear sentence", async () => {
  const refused = async (spec: RunSpec, message: RegExp): Promise<void> => {
    const root = emptyRoot();
    await assert.rejects(trainingRun(spec, { root, quiet: true }), (error) => {
      assert.ok(error instanceof UserError, String(error));
      assert.match(error.message, message);
      return true;
    });
    for (const run of readdirSync(root)) assert.ok(!existsSync(join(root, run, "DONE.json")));
  };
  await refused(
    tinyRunSpec("cascaded-td", { train: { batchSize: 71 } }),
    /^70 training images do not fill one batch of 71; lower train\.batchSize$/,
  );
  const spec = tinyRunSpec("cascaded-td");
  await refused({ ...spec, trainImages: 81 }, /the limit is 81 examples, allowed is 1 to 80/);
  await refused(
    { ...spec, loss: { ...spec.loss, weights: [1, 1] } },
    /2 timestep weights for 9 timesteps; give one each/,
  );
});

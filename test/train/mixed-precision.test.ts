import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import type { ImageSet } from "../../lib/datasets/dataset.js";
import { loadDataset } from "../../lib/datasets/load.js";
import { limit } from "../../lib/datasets/split.js";
import { channelStatistics } from "../../lib/datasets/statistics.js";
import { presetNamed } from "../../lib/experiments/specs/presets.js";
import { trainedNetwork } from "../../lib/experiments/specs/model-views.js";
import { initialState } from "../../lib/models/state.js";
import { hasOwnKernels } from "../../lib/nn/backend/kernel-level.js";
import type { Precision } from "../../lib/nn/backend/kernels.js";
import { tf } from "../../lib/nn/tensorflow.js";
import { trainingSteps } from "../../lib/train/training-steps.js";
import { disposeTrainingState } from "../../lib/train/training-step.js";
import { mean } from "../../lib/util/statistics.js";

const REAL = "../shared/data/cifar10-jpeg.tar.gz";
const STEPS = 300;
const WINDOW = 60;

/** Losses of the first steps of a CascadedTD wide enough that all its 3x3 convolutions are of transformed tiles. */
function lossCurve(precision: Precision, set: ImageSet): number[] {
  const spec = presetNamed("cascaded-td");
  const network = trainedNetwork(spec, 10, 32);
  const plan = {
    ...spec.train,
    epochs: 3,
    batchSize: 64,
    network,
    set,
    normalisation: channelStatistics(set.images),
    seed: 0,
    loss: { lambda: 0, firstTimestep: 1 },
    precision,
  };
  const curve: number[] = [];
  for (const step of trainingSteps(plan, { ...initialState(network, 0), velocities: new Map() }, 0)) {
    curve.push(step.loss.loss);
    if (step.step < STEPS) continue;
    disposeTrainingState(step.state);
    break;
  }
  return curve;
}

// Another seed differs from this one by about as much as the band is wide.
test("the loss of mixed precision follows float32's over 300 steps on real images, within 8 % at every stretch of 60 steps and 3 % over the second half", async (context) => {
  if (!hasOwnKernels) {
    context.skip("the project's own kernels are not compiled");
    return;
  }
  if (!existsSync(REAL)) {
    context.skip("there are no real images beside the project");
    return;
  }
  const { train } = await loadDataset({ kind: "folder", path: REAL, onBroken: "fail" });
  const set = limit(train, 6400, 0);
  const before = tf.memory().numTensors;
  const wide = lossCurve("float32", set);
  const narrow = lossCurve("mixed", set);
  assert.equal(tf.memory().numTensors, before);
  assert.equal(narrow.length, STEPS);
  for (let start = 0; start < STEPS; start += WINDOW) {
    const stretch = (curve: readonly number[]): number => mean(curve.slice(start, start + WINDOW));
    const ratio = stretch(narrow) / stretch(wide);
    assert.ok(Math.abs(ratio - 1) < 0.08, `steps ${start} to ${start + WINDOW}: ${ratio}`);
  }
  const half = (curve: readonly number[]): number => mean(curve.slice(STEPS / 2));
  const ratio = half(narrow) / half(wide);
  assert.ok(Math.abs(ratio - 1) < 0.03, `second half: ${ratio}`);
});

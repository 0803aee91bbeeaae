import assert from "node:assert/strict";
import { test } from "node:test";
import { blockInfluence } from "../../../lib/experiments/analyses/block-influence.js";
import { cascadedResNet } from "../../../lib/models/cascaded-resnet.js";
import { disposeState, initialState } from "../../../lib/models/state.js";
import type { Scheme } from "../../../lib/nn/scheme.js";
import { tf } from "../../../lib/nn/tensorflow.js";
import { randomStream } from "../../../lib/util/random.js";
import { tinySpec } from "../../models/oracle-cases.js";

const stream = randomStream(5, "influence");
const pixels = Float32Array.from({ length: 2 * 16 * 16 * 3 }, () => stream.normal());

/** [blocks] first timestep at which the logits change on removal of the block. */
function firstFelt(scheme: Scheme): (number | undefined)[] {
  const network = cascadedResNet(tinySpec({ scheme, timesteps: undefined }));
  const state = initialState(network, 1);
  const images = tf.tensor4d(pixels, [2, 16, 16, 3]);
  const before = tf.memory().numTensors;
  const rows = blockInfluence(network, state, images).objects() as {
    scheme: string;
    block: number;
    timestep: number;
    change: number;
  }[];
  assert.equal(tf.memory().numTensors, before, "tensors are left over");
  assert.equal(rows.length, network.layers.length * network.timesteps);
  assert.ok(rows.every((row) => row.scheme === scheme.kind));
  images.dispose();
  disposeState(state);
  return network.layers.map(
    ({ position }) => rows.find(({ block, change }) => block === position && change > 0)?.timestep,
  );
}

const oneStepDelay = { kind: "oneStepDelay" } as const;

test("in the cascade every block is felt one step after the image has passed the stem", () => {
  assert.deepEqual(firstFelt({ kind: "parallel", delay: oneStepDelay }), Array(8).fill(2));
});

test("in the serial scheme block i is felt at t = i", () => {
  assert.deepEqual(firstFelt({ kind: "serial", delay: oneStepDelay }), [1, 2, 3, 4, 5, 6, 7, 8]);
});

test("without a delay, and under smoothing, every block is felt at once", () => {
  assert.deepEqual(firstFelt({ kind: "parallel", delay: { kind: "none" } }), Array(8).fill(0));
  const smoothing = { kind: "exponentialSmoothing", alpha: 0.5 } as const;
  assert.deepEqual(firstFelt({ kind: "parallel", delay: smoothing }), Array(8).fill(0));
});

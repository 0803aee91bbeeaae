import assert from "node:assert/strict";
import { test } from "node:test";
import { cascadedResNet } from "../../lib/models/cascaded-resnet.js";
import { disposeState, initialState } from "../../lib/models/state.js";
import { tf } from "../../lib/nn/tensorflow.js";
import { constantTimeline } from "../../lib/nn/timeline.js";
import { batchGradients } from "../../lib/train/training-step.js";
import { randomStream } from "../../lib/util/random.js";
import { tinySpec } from "./oracle-cases.js";

const BATCH = 4;

/** [T, B, K] logits under training statistics, without the head's bias. */
function logitsWithoutBias(alpha: number, epsilon: number): { values: number[][]; timesteps: number } {
  const network = cascadedResNet(
    tinySpec({
      scheme: { kind: "parallel", delay: { kind: "exponentialSmoothing", alpha } },
      norm: { epsilon, momentum: 0.1, temporalAffine: false },
    }),
  );
  const state = initialState(network, 1);
  const stream = randomStream(2, "images");
  const pixels = Float32Array.from({ length: BATCH * 16 * 16 * 3 }, () => stream.normal());
  const { timesteps } = network;
  const images = {
    values: tf.tensor4d(pixels, [BATCH, 16, 16, 3]),
    timeline: constantTimeline(timesteps, BATCH),
  };
  const labels = [0, 1, 2, 1];
  const result = batchGradients(network, state, images, labels, { lambda: 0, firstTimestep: 0 });
  const bias = state.parameters.get("head.bias")?.dataSync() ?? [];
  const { values, classes } = result.logits;
  const step = BATCH * classes;
  tf.dispose([images.values, ...result.gradients.values(), ...result.statistics.values()]);
  disposeState(state);
  return {
    timesteps,
    values: Array.from({ length: timesteps }, (_, t) =>
      Array.from({ length: step }, (_, i) => (values[t * step + i] ?? NaN) - (bias[i % classes] ?? NaN)),
    ),
  };
}

/** Largest difference of a timestep's logits from (1 - a^(t+1)) / (1 - a^T) of the last one's, by their norm. */
function departure(alpha: number, epsilon: number): number {
  const { values, timesteps } = logitsWithoutBias(alpha, epsilon);
  const last = values.at(-1) ?? [];
  const norm = (vector: readonly number[]): number => Math.hypot(...vector);
  return Math.max(
    ...values.map((logits, t) => {
      const scale = (1 - alpha ** (t + 1)) / (1 - alpha ** timesteps);
      return norm(logits.map((value, i) => value - scale * (last[i] ?? NaN))) / norm(last);
    }),
  );
}

// By induction over the blocks: a norm does not see the size of its input, a ReLU and a shortcut keep it, and smoothing
// gives a constant input back times 1 - a^(t+1).
test("under statistics of its own time, smoothing does no more than scale the logits by 1 - a^(t+1)", () => {
  for (const alpha of [0.3, 0.9]) assert.ok(departure(alpha, 1e-8) < 1e-3, `a = ${alpha}`);
  assert.ok(departure(0.9, 0.1) > 0.05, "a large epsilon does see the size");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { forward } from "../../lib/models/anytime-network.js";
import { cascadedResNet } from "../../lib/models/cascaded-resnet.js";
import { disposeEvaluationPass, disposeState, evaluationPass, initialState } from "../../lib/models/state.js";
import type { Sequence } from "../../lib/nn/pass.js";
import { scoped, type Tensor, tf } from "../../lib/nn/tensorflow.js";
import { constantTimeline } from "../../lib/nn/timeline.js";
import { batchGradients, trainingStep, type TrainingState } from "../../lib/train/training-step.js";
import { randomStream } from "../../lib/util/random.js";
import { tinySpec } from "../models/oracle-cases.js";

const BATCH = 4;
const LABELS = [0, 1, 2, 1];
const SGD = { learningRate: 0.05, momentum: 0.9, weightDecay: 5e-4 };

const networks = [
  tinySpec(),
  tinySpec({ heads: "perTimestep", norm: { epsilon: 1e-5, momentum: 0.1, temporalAffine: true } }),
  tinySpec({ scheme: { kind: "serial", delay: { kind: "oneStepDelay" } }, heads: "perTimestep" }),
  tinySpec({ scheme: { kind: "parallel", delay: { kind: "exponentialSmoothing", alpha: 0.5 } } }),
].map(cascadedResNet);

function makeImages(timesteps: number): Sequence {
  const stream = randomStream(2, "images");
  const pixels = Float32Array.from({ length: BATCH * 16 * 16 * 3 }, () => stream.normal());
  return { values: tf.tensor4d(pixels, [BATCH, 16, 16, 3]), timeline: constantTimeline(timesteps, BATCH) };
}

function allTensors({ parameters, statistics, velocities }: TrainingState): [string, Tensor][] {
  return [
    ...parameters,
    ...statistics,
    ...[...velocities].map(([name, v]) => [`v/${name}`, v] as [string, Tensor]),
  ];
}

test("a training step, an evaluation and the end of a state leave no tensor behind", () => {
  for (const network of networks) {
    const empty = tf.memory().numTensors;
    const images = makeImages(network.timesteps);
    let state: TrainingState = { ...initialState(network, 1), velocities: new Map() };
    const step = (): void => {
      ({ state } = trainingStep(network, state, images, LABELS, { lambda: 0.5, firstTimestep: 1 }, SGD));
    };
    step();
    const begun = tf.memory().numTensors;
    assert.equal(begun, empty + 1 + allTensors(state).length);
    step();
    step();
    assert.equal(tf.memory().numTensors, begun);
    const pass = evaluationPass(network, state);
    scoped(() => forward(network, pass, images, BATCH));
    disposeEvaluationPass(pass);
    assert.equal(tf.memory().numTensors, begun);
    disposeState(state);
    tf.dispose([...state.velocities.values(), images.values]);
    assert.equal(tf.memory().numTensors, empty);
  }
});

test("the momentum of running statistics takes no part in training: weights are the same to the last bit", () => {
  const trained = (momentum: number): Map<string, Float32Array> => {
    const norm = { epsilon: 0.1, momentum, temporalAffine: false };
    const network = cascadedResNet(tinySpec({ width: 1 / 8, norm }));
    const images = makeImages(network.timesteps);
    let state: TrainingState = { ...initialState(network, 1), velocities: new Map() };
    for (let step = 0; step < 3; step++)
      ({ state } = trainingStep(network, state, images, LABELS, { lambda: 0, firstTimestep: 1 }, SGD));
    const tensors = new Map(allTensors(state).map(([name, tensor]) => [name, tensor.dataSync<"float32">()]));
    tf.dispose([...allTensors(state).map(([, tensor]) => tensor), images.values]);
    return tensors;
  };
  const [averaged, last] = [0.1, 1].map(trained);
  for (const [name, values] of averaged ?? []) {
    const isStatistic = /\.(mean|variance)$/.test(name) && !name.startsWith("v/");
    if (isStatistic) assert.notDeepEqual(last?.get(name), values, name);
    else assert.deepEqual(last?.get(name), values, name);
  }
});

test("the same steps from the same state give the same numbers to the last bit", () => {
  const network = cascadedResNet(tinySpec({ width: 1 / 8 }));
  const trained = (): { losses: number[]; tensors: Map<string, Float32Array> } => {
    const images = makeImages(network.timesteps);
    let state: TrainingState = { ...initialState(network, 1), velocities: new Map() };
    const losses = [0, 1, 2].map(() => {
      const result = trainingStep(network, state, images, LABELS, { lambda: 0, firstTimestep: 1 }, SGD);
      ({ state } = result);
      return result.loss.loss;
    });
    const tensors = new Map(allTensors(state).map(([name, tensor]) => [name, tensor.dataSync<"float32">()]));
    tf.dispose([...allTensors(state).map(([, tensor]) => tensor), images.values]);
    return { losses, tensors };
  };
  const first = trained();
  assert.deepEqual(trained(), first);
});

test("a few steps on four images learn them", () => {
  const network = cascadedResNet(tinySpec({ width: 1 / 8 }));
  const images = makeImages(network.timesteps);
  let state: TrainingState = { ...initialState(network, 1), velocities: new Map() };
  const losses = Array.from({ length: 15 }, () => {
    const sgd = { ...SGD, learningRate: 0.002 };
    const result = trainingStep(network, state, images, LABELS, { lambda: 1, firstTimestep: 1 }, sgd);
    ({ state } = result);
    return result.loss.loss;
  });
  assert.ok((losses.at(-1) ?? NaN) < 0.2 * (losses[0] ?? NaN), losses.join(" "));
  tf.dispose([...allTensors(state).map(([, tensor]) => tensor), images.values]);
});

test("where the loss has no gradient at all, the parameters below the heads have gradients of zero", () => {
  const network = cascadedResNet(tinySpec({ classes: 1 }));
  const begun = tf.memory().numTensors;
  const images = makeImages(network.timesteps);
  const state = initialState(network, 1);
  const loss = { lambda: 0, firstTimestep: 1 };
  const { gradients, statistics } = batchGradients(network, state, images, [0, 0, 0, 0], loss);
  assert.ok(!gradients.has("head.weight") && gradients.has("stem.conv.weight"));
  for (const gradient of gradients.values()) assert.ok(gradient.dataSync().every((value) => value === 0));
  tf.dispose([...gradients.values(), ...statistics.values(), images.values]);
  disposeState(state);
  assert.equal(tf.memory().numTensors, begun);
});

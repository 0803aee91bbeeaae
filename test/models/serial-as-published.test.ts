import assert from "node:assert/strict";
import { test } from "node:test";
import type { CascadeSpec } from "../../lib/models/cascaded-network.js";
import { cascadedDenseNet } from "../../lib/models/cascaded-densenet.js";
import { type CascadedNetwork } from "../../lib/models/cascaded-network.js";
import { forward } from "../../lib/models/anytime-network.js";
import { cascadedResNet } from "../../lib/models/cascaded-resnet.js";
import {
  disposeEvaluationPass,
  disposeState,
  evaluationPass,
  initialState,
  type NetworkState,
  stateFrom,
  stateValues,
} from "../../lib/models/state.js";
import type { Scheme } from "../../lib/nn/scheme.js";
import { tf } from "../../lib/nn/tensorflow.js";
import { changingTimeline, constantTimeline } from "../../lib/nn/timeline.js";
import { disposeTrainingState, trainingStep, type TrainingState } from "../../lib/train/training-step.js";
import { randomStream } from "../../lib/util/random.js";
import { tinyDenseSpec, tinySpec } from "./oracle-cases.js";
import { relativeError } from "./oracle-comparison.js";

const OSD = { kind: "oneStepDelay" } as const;
const PARALLEL: Scheme = { kind: "parallel", delay: OSD };
const PUBLISHED: Scheme = { kind: "serial", delay: OSD, asPublished: true };
const UNDELAYED: Scheme = { kind: "serial", delay: OSD };
const SIDE = 16;
const T = 9;

/** A frame of random pixels for each timestep; `changed` gives one of them other pixels. */
function frames(changed?: number): Float32Array {
  const one = SIDE * SIDE * 3;
  const values = new Float32Array(T * one);
  for (let t = 0; t < T; t++) {
    const draws = randomStream(t === changed ? 100 : 1, `frame/${t}`);
    for (let i = 0; i < one; i++) values[t * one + i] = draws.normal();
  }
  return values;
}

/** Logits [T, K] of the network with these weights, a frame entering the stem at each timestep. */
function answers(network: CascadedNetwork, state: NetworkState, shown: Float32Array): Float32Array {
  const pass = evaluationPass(network, state);
  const values = tf.tensor4d(shown, [T, SIDE, SIDE, 3]);
  const logits = forward(network, pass, { values, timeline: changingTimeline(T, 1) }, 1).y.values;
  tf.dispose(values);
  disposeEvaluationPass(pass);
  return logits;
}

/** Rows t of logits [T, K] in which two differ. */
function changedRows(a: Float32Array, b: Float32Array): number[] {
  const classes = a.length / T;
  const largest = Math.max(...a.map(Math.abs));
  return Array.from({ length: T }, (_, t) => t).filter((t) => {
    const gap = Math.max(
      ...a
        .subarray(t * classes, (t + 1) * classes)
        .map((value, k) => Math.abs(value - (b[t * classes + k] ?? NaN))),
    );
    assert.ok(gap === 0 || gap > 1e-6 * largest, `t = ${t}: ${gap} is neither the same nor another answer`);
    return gap > 0;
  });
}

/** For each timestep the frames that its answer depends on. */
function framesSeen(scheme: Scheme): number[][] {
  const network = cascadedResNet(tinySpec({ scheme }));
  const state = initialState(network, 2);
  const before = answers(network, state, frames());
  const touched = Array.from({ length: T }, (_, s) =>
    changedRows(before, answers(network, state, frames(s))),
  );
  disposeState(state);
  return Array.from({ length: T }, (_, t) => touched.flatMap((rows, s) => (rows.includes(t) ? [s] : [])));
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, s) => s);

test("under changing frames the answer at t depends on frames 0 to t - 1, as a cascade's; undelayed on frame t - 1", () => {
  // By hand: frame s leaves the stem at s + 1, passes at once along shortcuts, and each block on its way from its turn
  // on may hold it back by one step.
  for (const scheme of [PUBLISHED, PARALLEL])
    assert.deepEqual(
      framesSeen(scheme),
      upTo(T).map((t) => upTo(t)),
    );
  assert.deepEqual(framesSeen(PUBLISHED)[8], [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual(
    framesSeen(UNDELAYED),
    upTo(T).map((t) => (t === 0 ? [] : [t - 1])),
  );
});

/** For each block (from 1), the first timestep whose answer to a fixed image changes when its weights do. */
function firstFelt(scheme: Scheme): number[] {
  const network = cascadedResNet(tinySpec({ scheme }));
  const state = initialState(network, 2);
  const values = stateValues(state);
  // One image at all timesteps, less what the blocks make of a blank: that is the same for every image.
  const one = frames().subarray(0, SIDE * SIDE * 3);
  const fixed = Float32Array.from({ length: T * one.length }, (_, i) => one[i % one.length] ?? NaN);
  const before = answers(network, state, fixed);
  const felt = network.layers.map(({ name }) => {
    const changed = stateFrom(network, (tensor) => {
      const given = values.get(tensor.name)?.values ?? new Float32Array();
      return tensor.name === `${name}.conv1.weight` ? given.map((value) => -value) : given;
    });
    const rows = changedRows(before, answers(network, changed, fixed));
    disposeState(changed);
    return rows[0] ?? NaN;
  });
  disposeState(state);
  return felt;
}

test("blocks 1 to 8 are first felt at t = 2, 2, 3, ..., 8; undelayed at their turns 1 to 8", () => {
  assert.deepEqual(firstFelt(PUBLISHED), [2, 2, 3, 4, 5, 6, 7, 8]);
  assert.deepEqual(firstFelt(UNDELAYED), [1, 2, 3, 4, 5, 6, 7, 8]);
});

const LOSS = { lambda: 0.5, firstTimestep: 1 };
const SGD = { learningRate: 0.05, momentum: 0.9, weightDecay: 5e-4 };

/** A ResNet and a DenseNet. */
const networks = (change: Partial<CascadeSpec>): CascadedNetwork[] => [
  cascadedResNet(tinySpec(change)),
  cascadedDenseNet(tinyDenseSpec(change)),
];

test("with the same weights its last step is the cascade's, bit by bit", () => {
  for (const [i, serial] of networks({ scheme: PUBLISHED, timesteps: T }).entries()) {
    const cascade = networks({ scheme: PARALLEL, timesteps: T })[i];
    assert.ok(cascade !== undefined);
    const state = initialState(serial, 3);
    const differing = changedRows(answers(serial, state, frames()), answers(cascade, state, frames()));
    disposeState(state);
    assert.ok(differing.length > 3 && !differing.includes(T - 1), differing.join());
  }
});

/** One training step from the same weights: loss at each timestep, and what became of weights and statistics. */
function trainedOnce(network: CascadedNetwork) {
  const draws = randomStream(8, "batch");
  const batch = Float32Array.from({ length: 3 * SIDE * SIDE * 3 }, () => draws.normal());
  const values = tf.tensor4d(batch, [3, SIDE, SIDE, 3]);
  const sequence = { values, timeline: constantTimeline(network.timesteps, 3) };
  const initial: TrainingState = { ...initialState(network, 4), velocities: new Map() };
  const { state, loss } = trainingStep(network, initial, sequence, [0, 3, 4], LOSS, SGD);
  tf.dispose(values);
  const after = stateValues(state);
  const valuesOf = (names: Iterable<string>): number[] =>
    [...names].flatMap((name) => [...(after.get(name)?.values ?? [])]);
  const result = {
    losses: loss.lossPerTimestep,
    weights: valuesOf(state.parameters.keys()),
    statistics: valuesOf(state.statistics.keys()),
  };
  disposeTrainingState(state);
  return result;
}

test("statistics that nothing reads may be kept up or not: all losses and weights are the same", () => {
  const heads = "perTimestep";
  const [lean, kept] = [false, true].map((keepsUnreadStatistics) =>
    networks({ scheme: { ...PUBLISHED, keepsUnreadStatistics }, heads }).map(trainedOnce),
  );
  for (const [i, one] of (lean ?? []).entries()) {
    const other = kept?.[i];
    assert.ok(other !== undefined);
    assert.deepEqual(one.losses, other.losses);
    // Sums over more rows, some of which add nothing, round otherwise.
    assert.ok(relativeError(one.weights, other.weights) < 1e-6);
    assert.ok(relativeError(one.statistics, other.statistics) > 1e-3);
  }
});

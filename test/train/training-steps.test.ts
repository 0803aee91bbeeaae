import assert from "node:assert/strict";
import { test } from "node:test";
import { proceduralSplit } from "../../lib/datasets/procedural.js";
import { channelStatistics } from "../../lib/datasets/statistics.js";
import { shallowDeepWeights } from "../../lib/losses/exit-weights.js";
import { cascadedDenseNet } from "../../lib/models/cascaded-densenet.js";
import { residualLayout } from "../../lib/models/residual-exits.js";
import { initialState, stateValues } from "../../lib/models/state.js";
import { zeroTimeWaste } from "../../lib/models/zero-time-waste.js";
import { tf } from "../../lib/nn/tensorflow.js";
import { learningRateAt } from "../../lib/train/schedule.js";
import { restoredTrainingState, storedTrainingState } from "../../lib/train/checkpoint.js";
import { disposeTrainingState, type TrainingState } from "../../lib/train/training-step.js";
import { type TrainingPlan, trainingSteps } from "../../lib/train/training-steps.js";
import type { StoredTensor } from "../../lib/util/safetensors.js";
import { tinyDenseSpec } from "../models/oracle-cases.js";

const set = proceduralSplit(
  { kind: "procedural", classes: 5, size: 16, train: 40, test: 5, seed: 0 },
  "train",
);
const network = cascadedDenseNet(
  tinyDenseSpec({ heads: "perTimestep", scheme: { kind: "serial", delay: { kind: "oneStepDelay" } } }),
);
const plan: TrainingPlan = {
  network,
  set,
  normalisation: channelStatistics(set.images),
  seed: 3,
  loss: { lambda: 1, firstTimestep: 1 },
  exitWeights: { kind: "shallowDeep" },
  epochs: 2,
  batchSize: 10,
  learningRate: 0.05,
  momentum: 0.9,
  weightDecay: 5e-4,
  schedule: { kind: "oneCycle", warmup: 0.25 },
  augmentation: { crop: 1, flip: true, occlusion: 0 },
};
const STEPS = 8;

/** Trains from a stored state to the end; the stored state after each step, and the losses. */
function train(begin: ReadonlyMap<string, StoredTensor> | undefined, done: number) {
  const before = tf.memory().numTensors;
  let state: TrainingState =
    begin === undefined
      ? { ...initialState(network, plan.seed), velocities: new Map() }
      : restoredTrainingState(network, begin, "the test");
  const states: Map<string, StoredTensor>[] = [];
  const losses: { loss: number; lossPerTimestep: number[] }[] = [];
  for (const report of trainingSteps(plan, state, done)) {
    state = report.state;
    states.push(storedTrainingState(state));
    losses.push({ loss: report.loss.loss, lossPerTimestep: report.loss.lossPerTimestep });
  }
  disposeTrainingState(state);
  assert.equal(tf.memory().numTensors, before);
  return { states, losses };
}

test("a DenseNet's training under exit weights goes on from any step with the same bits, by the weights of each step", () => {
  const whole = train(undefined, 0);
  assert.equal(whole.states.length, STEPS);
  for (const done of [1, 4, 7]) {
    const rest = train(whole.states[done - 1], done);
    assert.deepEqual(rest.states.at(-1), whole.states.at(-1));
    assert.deepEqual(rest.losses, whole.losses.slice(done));
  }
  whole.losses.forEach(({ loss, lossPerTimestep }, step) => {
    const weights = shallowDeepWeights(network.timesteps, 1, step / STEPS);
    const expected = lossPerTimestep.reduce((sum, one, t) => sum + one * (weights[t] ?? NaN), 0);
    assert.ok(Math.abs(loss - expected) < 1e-9 * expected);
  });
});

test("backbone first: each part runs through the whole schedule; disjoint leaves the backbone as its part ended", () => {
  const resnet = zeroTimeWaste({
    classes: 5,
    imageSize: 16,
    norm: { epsilon: 1e-5, momentum: 0.1, temporalAffine: false },
    ...residualLayout({ channels: [2, 3], blocks: [1, 1], exits: [1] }),
  });
  const loss = { lambda: 1, firstTimestep: 0 };
  const exitWeights = { kind: "disjoint", backbone: 0.4 } as const;
  const parted = { ...plan, network: resnet, loss, exitWeights };
  let state: TrainingState = { ...initialState(resnet, 3), velocities: new Map() };
  const rates: number[] = [];
  const backbones: string[] = [];
  const classifiers: string[] = [];
  for (const report of trainingSteps(parted, state, 0)) {
    state = report.state;
    rates.push(report.learningRate);
    const stored = [...stateValues(state)].map(([name, { values }]) => [name, values.join()] as const);
    const isClassifier = ([name]: readonly [string, string]): boolean => name.includes(".output.");
    backbones.push(stored.filter((one) => !isClassifier(one)).join("\n"));
    classifiers.push(stored.filter(isClassifier).join("\n"));
  }
  disposeTrainingState(state);
  // 0.4 of 8 steps end within the fourth.
  const part = (steps: number): number[] =>
    Array.from({ length: steps }, (_, step) =>
      learningRateAt(plan.schedule, plan.learningRate, step, steps, 4),
    );
  assert.deepEqual(rates, [...part(4), ...part(4)]);
  assert.equal(new Set(backbones.slice(0, 4)).size, 4);
  assert.equal(new Set(backbones.slice(3)).size, 1);
  assert.equal(new Set(classifiers).size, STEPS);
});

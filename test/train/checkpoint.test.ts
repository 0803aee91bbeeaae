import assert from "node:assert/strict";
import { test } from "node:test";
import { cascadedResNet } from "../../lib/models/cascaded-resnet.js";
import { disposeState, initialState } from "../../lib/models/state.js";
import { type Tensor, tf } from "../../lib/nn/tensorflow.js";
import { constantTimeline } from "../../lib/nn/timeline.js";
import { restoredTrainingState, storedModel, storedTrainingState } from "../../lib/train/checkpoint.js";
import { trainingStep, type TrainingState } from "../../lib/train/training-step.js";
import { UserError } from "../../lib/util/errors.js";
import { randomStream } from "../../lib/util/random.js";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "../../lib/util/safetensors.js";
import { tinySpec } from "../models/oracle-cases.js";

const network = cascadedResNet(tinySpec({ heads: "perTimestep" }));
const BATCH = 4;

function nextState(state: TrainingState, seed: number): TrainingState {
  const draws = randomStream(seed, "images");
  const pixels = Float32Array.from({ length: BATCH * 8 * 8 * 3 }, () => draws.normal());
  const values = tf.tensor4d(pixels, [BATCH, 8, 8, 3]);
  const images = { values, timeline: constantTimeline(network.timesteps, BATCH) };
  const sgd = { learningRate: 0.1, momentum: 0.9, weightDecay: 5e-4 };
  const loss = { lambda: 0.5, firstTimestep: 1 };
  const next = trainingStep(network, state, images, [0, 1, 2, 3], loss, sgd).state;
  values.dispose();
  return next;
}

function trained(steps: number): TrainingState {
  let state: TrainingState = { ...initialState(network, 3), velocities: new Map() };
  for (let step = 0; step < steps; step++) state = nextState(state, step);
  return state;
}

/** The bits of every tensor, by name, so that -0 and 0 differ. */
function bits(tensors: ReadonlyMap<string, Tensor>): Map<string, [number[], Uint32Array]> {
  return new Map(
    [...tensors].map(([name, tensor]) => {
      const values = Float32Array.from(tensor.dataSync<"float32">());
      return [name, [tensor.shape, new Uint32Array(values.buffer)]];
    }),
  );
}

function allBits({ parameters, statistics, velocities }: TrainingState): unknown {
  return [bits(parameters), bits(statistics), bits(velocities)];
}

function disposeTraining(state: TrainingState): void {
  disposeState(state);
  tf.dispose([...state.velocities.values()]);
}

/** Through the bytes of a file and back. */
function refiled(stored: ReadonlyMap<string, StoredTensor>): ReadonlyMap<string, StoredTensor> {
  return decodeSafetensors(Buffer.concat(encodeSafetensors(stored, {})), "the file").tensors;
}

test("a training state comes back bit for bit, and goes on as if it had never been stored", () => {
  for (const steps of [0, 2]) {
    const tensors = tf.memory().numTensors;
    let state = trained(steps);
    let restored = restoredTrainingState(network, refiled(storedTrainingState(state)), "the file");
    assert.deepEqual(allBits(restored), allBits(state));
    // The head of t = 0 takes no part in the loss, so it has no velocity, in memory as in the file.
    assert.equal(restored.velocities.size, steps === 0 ? 0 : state.parameters.size - 2);
    [state, restored] = [nextState(state, 99), nextState(restored, 99)];
    assert.deepEqual(allBits(restored), allBits(state));
    disposeTraining(state);
    disposeTraining(restored);
    assert.equal(tf.memory().numTensors, tensors);
  }
});

test("a stored model is its weights and statistics, without velocities", () => {
  const state = trained(1);
  const names = [...storedModel(state).keys()];
  assert.deepEqual(names.sort(), [...state.parameters.keys(), ...state.statistics.keys()].sort());
  disposeTraining(state);
});

test("a tensor that is missing, or of another shape or type, is refused by name", () => {
  const state = trained(1);
  const stored = storedTrainingState(state);
  disposeTraining(state);
  const refused = (change: (tensors: Map<string, StoredTensor>) => void, message: RegExp): void => {
    const damaged = new Map(stored);
    change(damaged);
    tf.engine().startScope();
    assert.throws(
      () => restoredTrainingState(network, damaged, "checkpoint 7 of runs/x"),
      (error) => {
        assert.ok(error instanceof UserError);
        assert.match(error.message, message);
        return true;
      },
    );
    tf.engine().endScope();
  };
  const tensorOf = (shape: readonly number[], dtype: "F32" | "I32"): StoredTensor => {
    const length = shape.reduce((a, b) => a * b, 1);
    return dtype === "F32"
      ? { dtype, shape, data: new Float32Array(length) }
      : { dtype, shape, data: new Int32Array(length) };
  };
  refused(
    (tensors) => tensors.delete("stages.2.0.norm1.variance"),
    /^checkpoint 7 of runs\/x has no tensor "stages\.2\.0\.norm1\.variance"; it belongs to another network$/,
  );
  refused(
    (tensors) => tensors.set("head.3.weight", tensorOf([32, 6], "F32")),
    /^checkpoint 7 of runs\/x: "head\.3\.weight" is F32 \[32, 6\], expected F32 \[32, 5\]; it belongs to another network$/,
  );
  refused(
    (tensors) => tensors.set("stem.norm.scale", tensorOf([4], "I32")),
    /"stem\.norm\.scale" is I32 \[4\], expected F32 \[4\]/,
  );
  refused(
    (tensors) => tensors.set("velocity/stem.conv.weight", tensorOf([3, 3, 3, 5], "F32")),
    /"velocity\/stem\.conv\.weight" is F32 \[3, 3, 3, 5\], expected F32 \[3, 3, 3, 4\]/,
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { softmax } from "../../lib/util/softmax.js";
import { cascadedDenseNet } from "../../lib/models/cascaded-densenet.js";
import type { CascadedNetwork } from "../../lib/models/cascaded-network.js";
import { forward } from "../../lib/models/anytime-network.js";
import { cascadedResNet } from "../../lib/models/cascaded-resnet.js";
import {
  disposeEvaluationPass,
  disposeState,
  evaluationPass,
  type NetworkState,
  stateFrom,
} from "../../lib/models/state.js";
import { programOf } from "../../lib/models/evaluation.js";
import { dueSteps, type Program } from "../../lib/models/program.js";
import { stream } from "../../lib/models/stream.js";
import { isStatistic } from "../../lib/models/tensor-spec.js";
import { TensorRun } from "../../lib/models/tensor-run.js";
import type { CascadeSpec } from "../../lib/models/cascaded-network.js";
import type { Delay } from "../../lib/nn/delay.js";
import type { Scheme } from "../../lib/nn/scheme.js";
import type { DelayedLayer } from "../../lib/nn/cascade-layer.js";
import { chainConvolutions } from "../../lib/nn/chain.js";
import { type Tensor, type Tensor4D, tf } from "../../lib/nn/tensorflow.js";
import { type EvaluationPass, named } from "../../lib/nn/pass.js";
import { constantTimeline, valueAt } from "../../lib/nn/timeline.js";
import { randomStream } from "../../lib/util/random.js";
import { tinyDenseSpec, tinySpec } from "./oracle-cases.js";
import { relativeError } from "./oracle-comparison.js";

const OSD: Delay = { kind: "oneStepDelay" };
const DELAYS: readonly Delay[] = [{ kind: "none" }, OSD, { kind: "exponentialSmoothing", alpha: 0.6 }];

/** A ResNet and a DenseNet. */
function tinyNetworks(change: Partial<CascadeSpec> = {}): CascadedNetwork[] {
  return [cascadedResNet(tinySpec(change)), cascadedDenseNet(tinyDenseSpec(change))];
}

/** Random weights and statistics; with `rows` equal, every timestep has the same statistics. */
function randomState(network: CascadedNetwork, rows: "equal" | "distinct"): NetworkState {
  return stateFrom(network, (tensor) => {
    const draws = randomStream(5, tensor.name);
    const [size = 1, , , outputs = 1] = tensor.shape;
    const values = Float32Array.from({ length: tensor.shape.reduce((a, b) => a * b, 1) }, () => {
      if (tensor.role === "filter") return draws.normal() * Math.sqrt(2 / (size * size * outputs));
      const u = draws.uniform() - 0.5;
      return tensor.role === "scale" || tensor.role === "variance" ? 1 + u : u;
    });
    const channels = values.length / network.timesteps;
    if (isStatistic(tensor) && rows === "equal")
      for (let t = 1; t < network.timesteps; t++) values.copyWithin(t * channels, 0, channels);
    return values;
  });
}

function randomImage(seed: number, side = 12): Tensor4D {
  const draws = randomStream(seed, "image");
  return tf.tensor4d(
    Float32Array.from({ length: side * side * 3 }, () => draws.normal()),
    [1, side, side, 3],
  );
}

function free(pass: EvaluationPass, state: NetworkState, ...images: Tensor[]): void {
  disposeEvaluationPass(pass);
  disposeState(state);
  tf.dispose(images);
}

/** The network's program on one image of 12 pixels a side, run by the operations of TensorFlow and the project. */
function tensorRun(network: CascadedNetwork, pass: EvaluationPass, image: Tensor4D): TensorRun {
  const timeline = constantTimeline(network.timesteps, 1);
  return new TensorRun(
    programOf(network, 12, timeline, (norm) => named(pass.norms, norm).equalRows),
    pass,
    image,
    1,
  );
}

test("the stream gives what the program gives at once, and one operation at a time; it leaves no tensor behind", () => {
  const schemes = DELAYS.flatMap((delay): Scheme[] => [
    { kind: "parallel", delay },
    { kind: "serial", delay },
    { kind: "serial", delay, asPublished: true },
  ]);
  for (const scheme of schemes)
    for (const heads of ["single", "perTimestep"] as const)
      for (const [i, rows] of (["equal", "distinct"] as const).entries()) {
        const norm = { epsilon: 1e-2, momentum: 0.1, temporalAffine: i === 1 && heads === "single" };
        for (const network of tinyNetworks({ scheme, heads, norm, timesteps: 8 + 2 * i })) {
          const state = randomState(network, rows);
          const image = randomImage(1);
          const tensors = tf.memory().numTensors;
          const pass = evaluationPass(network, state);
          const sequence = { values: image, timeline: constantTimeline(network.timesteps, 1) };
          const expected = forward(network, pass, sequence, 1).y.values;
          const steps = [...stream(network, pass, image)];
          const composed = tensorRun(network, pass, image);
          const { classes } = network.spec;
          const name = JSON.stringify({ layers: network.layers.length, scheme, heads, rows });
          for (const [t, { timestep, logits, probabilities, confidence }] of steps.entries()) {
            assert.equal(timestep, t);
            const row = expected.subarray(t * classes, (t + 1) * classes);
            assert.ok(relativeError(logits, row) < 1e-5, `${name} at t = ${t}: ${logits.join(" ")}`);
            assert.ok(relativeError(composed.advance(t), row) < 1e-5, `${name} at t = ${t}, composed`);
            assert.deepEqual(probabilities, softmax(logits, classes));
            assert.equal(confidence, Math.max(...probabilities));
          }
          assert.equal(steps.length, network.timesteps);
          composed.dispose();
          disposeEvaluationPass(pass);
          assert.equal(tf.memory().numTensors, tensors, name);
          disposeState(state);
          image.dispose();
        }
      }
});

/** A pass that counts how often each filter is asked for: once for each evaluation of its convolution. */
function counted(pass: EvaluationPass): { pass: EvaluationPass; evaluations: (name: string) => number } {
  const counts = new Map<string, number>();
  class CountedParameters extends Map<string, Tensor> {
    override get(name: string): Tensor | undefined {
      counts.set(name, (counts.get(name) ?? 0) + 1);
      return super.get(name);
    }
  }
  return {
    pass: { ...pass, parameters: new CountedParameters(pass.parameters) },
    evaluations: (name) => counts.get(`${name}.weight`) ?? 0,
  };
}

/** Steps of a convolution's result that answers up to timestep t need. */
function stepsDue({ values, instructions }: Program, name: string, t: number): number {
  return instructions
    .filter((instruction) => instruction.kind === "convolve" && instruction.convolution?.name === name)
    .flatMap(({ y }) => dueSteps(valueAt(values, y), -1, t)).length;
}

/** The delayed layers. */
function delayedLayers(network: CascadedNetwork): DelayedLayer[] {
  return network.layers.filter((layer) => layer.kind === "delayed");
}

/** The network whose stem is delayed is the ResNet. */
const hasDelayedStem = ({ stemDelay }: CascadedNetwork): boolean => stemDelay.kind !== "none";

/**
 * Evaluations of the residual of block i (from 1), or of the features of dense layer i, after k timesteps. Under the
 * one-step delay its input takes i values, and in a ResNet the blank before the stem's, and what is delayed to
 * a later timestep is not computed yet; serially it has its one turn at t = i; as published, what it is given at
 * t = i - 1, of which a ResNet's block has one more state to come, is read at t = i.
 */
const EXPECTED_EVALUATIONS: readonly {
  readonly scheme: Scheme;
  readonly evaluations: (i: number, k: number, blanks: number) => number;
}[] = [
  {
    scheme: { kind: "parallel", delay: OSD },
    evaluations: (i, k, blanks) => Math.min(i + blanks, k - 1),
  },
  { scheme: { kind: "serial", delay: OSD }, evaluations: (i, k) => Number(i <= k - 1) },
  {
    scheme: { kind: "serial", delay: OSD, asPublished: true },
    evaluations: (i, k, blanks) => Math.min(1 + blanks, Math.max(0, k - i)),
  },
];

test("what the consumer does not ask for is not computed, and nothing is computed twice", () => {
  const runs = EXPECTED_EVALUATIONS.flatMap(({ scheme, evaluations }) =>
    tinyNetworks({ scheme }).map((network) => ({ scheme, evaluations, network })),
  );
  for (const { scheme, evaluations, network } of runs) {
    const state = randomState(network, "equal");
    const pass = evaluationPass(network, state);
    const image = randomImage(1);
    const program = programOf(
      network,
      12,
      constantTimeline(network.timesteps, 2),
      (norm) => named(pass.norms, norm).equalRows,
    );
    const tensors = tf.memory().numTensors;
    for (let k = 1; k <= network.timesteps; k++) {
      const counting = counted(pass);
      const run = tensorRun(network, counting.pass, image);
      for (let t = 0; t < k; t++) run.advance(t);
      run.dispose();
      assert.equal(tf.memory().numTensors, tensors);
      const blanks = hasDelayedStem(network) ? 1 : 0;
      assert.equal(counting.evaluations("stem.conv"), Number(k > blanks));
      for (const { position, branch } of delayedLayers(network))
        for (const { name } of chainConvolutions(branch)) {
          const wanted = evaluations(position, k, blanks);
          assert.equal(counting.evaluations(name), wanted, `${JSON.stringify(scheme)}, ${k} steps: ${name}`);
          assert.equal(stepsDue(program, name, k - 1), wanted);
        }
    }
    for (const { timestep } of stream(network, pass, image)) if (timestep === 2) break;
    const opened = tf.memory().numTensors;
    const untouched = stream(network, pass, image);
    untouched.return(undefined);
    for (const { timestep } of stream(network, pass, image)) if (timestep === 1) break;
    assert.equal(tf.memory().numTensors, opened);
    free(pass, state, image);
  }
});

test("two streams that take turns do not disturb each other", () => {
  const network = cascadedResNet(tinySpec({ scheme: { kind: "parallel", delay: OSD } }));
  const state = randomState(network, "equal");
  const pass = evaluationPass(network, state);
  const images = [randomImage(1), randomImage(2)];
  const alone = images.map((image) => [...stream(network, pass, image)]);
  const turns = images.map((image) => stream(network, pass, image));
  for (let t = 0; t <= network.timesteps; t++)
    for (const [i, turn] of turns.entries()) assert.deepEqual(turn.next().value, alone[i]?.[t]);
  free(pass, state, ...images);
});

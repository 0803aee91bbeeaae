import assert from "node:assert/strict";
import { test } from "node:test";
import { cascadedDenseNet } from "../../lib/models/cascaded-densenet.js";
import type { CascadedNetwork } from "../../lib/models/cascaded-network.js";
import { cascadedResNet } from "../../lib/models/cascaded-resnet.js";
import { NativeProgram } from "../../lib/models/native-run.js";
import { programOf } from "../../lib/models/evaluation.js";
import type { Program } from "../../lib/models/program.js";
import { disposeEvaluationPass, disposeState, evaluationPass, initialState } from "../../lib/models/state.js";
import { TensorRun } from "../../lib/models/tensor-run.js";
import { hasOwnKernels } from "../../lib/nn/backend/kernel-level.js";
import { type EvaluationPass, named } from "../../lib/nn/pass.js";
import { type Tensor4D, tf } from "../../lib/nn/tensorflow.js";
import { constantTimeline } from "../../lib/nn/timeline.js";
import { randomStream } from "../../lib/util/random.js";
import { tinyDenseSpec, tinySpec } from "./oracle-cases.js";
import { relativeError } from "./oracle-comparison.js";

const skip = hasOwnKernels ? false : "the project's own kernels are not in use";
const SIDE = 32;

interface Setting {
  readonly network: CascadedNetwork;
  readonly pass: EvaluationPass;
  readonly program: Program;
}

/** Runs `work` on a network with its program and frees what was made for it. */
function withProgram(network: CascadedNetwork, work: (setting: Setting) => void, side = SIDE): void {
  const state = initialState(network, 3);
  const pass = evaluationPass(network, state);
  const images = constantTimeline(network.timesteps, 2);
  work({
    network,
    pass,
    program: programOf(network, side, images, (norm) => named(pass.norms, norm).equalRows),
  });
  disposeEvaluationPass(pass);
  disposeState(state);
}

function randomImages(batch: number, side = SIDE): Tensor4D {
  const draws = randomStream(batch, "images");
  const pixels = Float32Array.from({ length: batch * side * side * 3 }, () => draws.normal());
  return tf.tensor4d(pixels, [batch, side, side, 3]);
}

/** Channels and maps that take every algorithm, and such as fill no lane. */
const NETWORKS: readonly CascadedNetwork[] = [
  cascadedResNet(tinySpec({ width: 1 / 4 })),
  cascadedResNet(
    tinySpec({
      depth: 50,
      scheme: { kind: "parallel", delay: { kind: "exponentialSmoothing", alpha: 0.5 } },
    }),
  ),
  cascadedDenseNet(tinyDenseSpec()),
];

test(
  "one call a timestep gives what the program gives one operation at a time, for one image and several",
  { skip },
  () => {
    for (const network of NETWORKS)
      withProgram(network, ({ pass, program }) => {
        for (const batch of [1, 5]) {
          const opened = new NativeProgram(program, pass, batch);
          const images = randomImages(batch);
          const [native, composed] = [
            opened.start(images, batch),
            new TensorRun(program, pass, images, batch),
          ];
          for (const t of [0, 2, 3, program.answers.length - 1])
            assert.ok(
              relativeError(native.advance(t), composed.advance(t)) < 1e-5,
              `batch ${batch}, t = ${t}`,
            );
          for (const run of [native, composed, opened]) run.dispose();
          images.dispose();
        }
      });
  },
);

test(
  "a run goes forward only, on images of its size, and survives what it is wrongly asked for",
  { skip },
  () => {
    withProgram(cascadedResNet(tinySpec()), ({ pass, program }) => {
      const tensors = tf.memory().numTensors;
      const opened = new NativeProgram(program, pass, 1);
      const images = randomImages(1);
      const whole = opened.start(images, 1);
      const expected = whole.advance(program.answers.length - 1);
      whole.dispose();
      assert.throws(() => opened.start(images, 2), /the images are of another size than the program/);
      const run = opened.start(images, 1);
      const first = run.advance(3);
      assert.throws(() => run.advance(3), /goes on to a later timestep/);
      assert.throws(() => run.advance(program.answers.length), /goes on to a later timestep/);
      // It holds what it needs of the program that it began with.
      opened.dispose();
      const rest = run.advance(program.answers.length - 1);
      assert.deepEqual([...first, ...rest].length, expected.length);
      assert.ok(relativeError([...first, ...rest], expected) < 1e-5);
      assert.throws(() => new NativeProgram({ ...program, values: [] }, pass, 1));
      run.dispose();
      images.dispose();
      assert.equal(tf.memory().numTensors, tensors);
    });
  },
);

test("what programs and runs hold of memory is free again when they are disposed of", { skip }, () => {
  withProgram(cascadedResNet(tinySpec({ width: 1 / 2 })), ({ pass, program }) => {
    const images = randomImages(8);
    const use = (): void => {
      const opened = new NativeProgram(program, pass, 8);
      const run = opened.start(images, 8);
      run.advance(2);
      run.dispose();
      opened.dispose();
    };
    for (let i = 0; i < 3; i++) use();
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 20; i++) use();
    // Each holds some 20 MiB.
    assert.ok(process.memoryUsage().rss - before < 100 * 2 ** 20);
    images.dispose();
  });
});

/** Logits of all timesteps [T, B, K]. */
function answers(
  { pass, program }: Setting,
  precision: EvaluationPass["precision"],
  images: Tensor4D,
): Float32Array {
  const [batch] = images.shape;
  const opened = new NativeProgram(program, { ...pass, precision }, batch);
  const run = opened.start(images, batch);
  const logits = run.advance(program.answers.length - 1);
  run.dispose();
  opened.dispose();
  return logits;
}

test("mixed precision multiplies 16-bit integers: near float32, each image by itself", { skip }, () => {
  // Maps that divide into the pieces of a transform, and of 34, 17, 9, 5 and 3 positions a side, none of which does.
  for (const side of [32, 34])
    for (const network of NETWORKS)
      withProgram(
        network,
        (setting) => {
          const images = randomImages(3, side);
          // Where no channels fill a group of sixteen, products stay those of floats.
          const hasGroups = network !== NETWORKS[2];
          for (const batch of [1, 3]) {
            const some = tf.slice(images, [0, 0, 0, 0], [batch, side, side, 3]);
            const [exact, mixed] = (["float32", "mixed"] as const).map((precision) =>
              answers(setting, precision, some),
            );
            const error = relativeError(mixed ?? [], exact ?? []);
            if (hasGroups) assert.ok(error > 0 && error < 0.003, `off by ${error}`);
            else assert.equal(error, 0);
            some.dispose();
          }
          // What stands beside an image, however bright, changes nothing of its answers.
          const last = tf.slice(images, [2, 0, 0, 0], [1, side, side, 3]);
          const bright = tf.mul(tf.slice(images, [0, 0, 0, 0], [2, side, side, 3]), 1000);
          const beside = tf.concat([bright, last]) as Tensor4D;
          const [among, alone] = [images, beside].map((stack) => answers(setting, "mixed", stack));
          const ofLast = (logits: Float32Array | undefined): Float32Array | undefined =>
            logits?.filter((_, i) => Math.floor(i / network.spec.classes) % 3 === 2);
          assert.deepEqual(ofLast(among), ofLast(alone));
          for (const tensor of [images, last, bright, beside]) tensor.dispose();
        },
        side,
      );
});

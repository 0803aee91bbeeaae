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

/** The upper half of each float32, rounded to nearest, ties to even. */
function toBfloat16(values: Float32Array): Float32Array {
  const bits = new Uint32Array(Float32Array.from(values).buffer);
  const rounded = bits.map((value) => ((value + 0x7fff + ((value >>> 16) & 1)) & 0xffff0000) >>> 0);
  return new Float32Array(rounded.buffer);
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
        const opened = new NativeProgram(program, pass);
        for (const batch of [1, 5]) {
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
          for (const run of [native, composed]) run.dispose();
          images.dispose();
        }
        opened.dispose();
      });
  },
);

test(
  "a run goes forward only, on images of its size, and survives what it is wrongly asked for",
  { skip },
  () => {
    withProgram(cascadedResNet(tinySpec()), ({ pass, program }) => {
      const tensors = tf.memory().numTensors;
      const opened = new NativeProgram(program, pass);
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
      assert.throws(() => new NativeProgram({ ...program, values: [] }, pass));
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
      const opened = new NativeProgram(program, pass);
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

test(
  "mixed precision gives to the last bit what float32 gives with its filters rounded to bfloat16, where none is transformed",
  { skip },
  () => {
    // Maps of 34, 17, 9, 5 and 3 positions a side: none divides into the pieces of a transform.
    const side = 34;
    for (const network of NETWORKS)
      withProgram(
        network,
        ({ pass, program }) => {
          const rounded = new Map(
            [...pass.parameters].map(([name, tensor]) =>
              tensor.rank === 4
                ? [name, tf.tensor(toBfloat16(tensor.dataSync<"float32">()), tensor.shape)]
                : [name, tensor],
            ),
          );
          const images = randomImages(3, side);
          const answers = (own: EvaluationPass): Float32Array => {
            const opened = new NativeProgram(program, own);
            const run = opened.start(images, 3);
            const logits = run.advance(program.answers.length - 1);
            run.dispose();
            opened.dispose();
            return logits;
          };
          const mixed = answers({ ...pass, precision: "mixed" });
          assert.deepEqual(mixed, answers({ ...pass, parameters: rounded }));
          assert.notDeepEqual(mixed, answers(pass));
          for (const [name, tensor] of rounded) if (tensor !== pass.parameters.get(name)) tensor.dispose();
          images.dispose();
        },
        side,
      );
  },
);

test(
  "mixed precision is as near to float32 as its weights are where filters are transformed",
  { skip },
  () => {
    withProgram(cascadedResNet(tinySpec({ width: 1 / 4 })), ({ pass, program }) => {
      const images = randomImages(2);
      const [exact, mixed] = (["float32", "mixed"] as const).map((precision) => {
        const opened = new NativeProgram(program, { ...pass, precision });
        const run = opened.start(images, 2);
        const logits = run.advance(program.answers.length - 1);
        run.dispose();
        opened.dispose();
        return logits;
      });
      const error = relativeError(mixed ?? [], exact ?? []);
      // bfloat16 rounds by 1/256 at most; twenty roundings in a row add up like a random walk.
      assert.ok(error > 0 && error < 2 ** -8 * Math.sqrt(20), `off by ${error}`);
      images.dispose();
    });
  },
);

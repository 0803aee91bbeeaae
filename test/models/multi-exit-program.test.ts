import assert from "node:assert/strict";
import { test } from "node:test";
import { boostNet } from "../../lib/models/boostnet.js";
import { branchyResNet } from "../../lib/models/branchy-resnet.js";
import { programOf, startRun } from "../../lib/models/evaluation.js";
import { msdNet, type MsdNetSpec } from "../../lib/models/msdnet.js";
import type { MultiExitNetwork } from "../../lib/models/multi-exit-network.js";
import { dueSteps, type Program } from "../../lib/models/program.js";
import { residualLayout } from "../../lib/models/residual-exits.js";
import { shallowDeepNetwork } from "../../lib/models/shallow-deep-network.js";
import { disposeEvaluationPass, disposeState, evaluationPass, stateFrom } from "../../lib/models/state.js";
import { stream } from "../../lib/models/stream.js";
import { TensorRun } from "../../lib/models/tensor-run.js";
import { zeroTimeWaste } from "../../lib/models/zero-time-waste.js";
import { chainConvolutions } from "../../lib/nn/chain.js";
import { runExit } from "../../lib/nn/exit.js";
import { IMAGE, inputsOf, runNode } from "../../lib/nn/feature-graph.js";
import { type EvaluationPass, named, type Sequence } from "../../lib/nn/pass.js";
import { scoped, type Tensor4D, tf } from "../../lib/nn/tensorflow.js";
import { constantTimeline, valueAt } from "../../lib/nn/timeline.js";
import { randomStream } from "../../lib/util/random.js";
import { relativeError } from "./oracle-comparison.js";

const SIDE = 16;
const SHARED = {
  classes: 3,
  imageSize: SIDE,
  norm: { epsilon: 1e-5, momentum: 0.1, temporalAffine: false },
};
const STAGES = residualLayout({ channels: [5, 8], blocks: [2, 2], exits: [1, 2, 3] });
const MSDNET: MsdNetSpec = {
  ...SHARED,
  exits: 3,
  base: 2,
  stepMode: "even",
  step: 1,
  channels: 4,
  growth: 3,
  scaleFactors: [1, 2, 4],
  bottleneckFactors: [1, 2, 4],
  prune: "max",
  reduction: 0.5,
};

/** Every kind of node, pool and exit; of each a name. */
const NETWORKS: Readonly<Record<string, MultiExitNetwork>> = {
  MSDNet: msdNet(MSDNET),
  "MSDNet that prunes late": msdNet({ ...MSDNET, prune: "min" }),
  BoostNet: boostNet({ ...MSDNET, share: 0.5 }),
  "SDN-ResNet": shallowDeepNetwork({ ...SHARED, ...STAGES }),
  "BranchyNet-ResNet": branchyResNet({ ...SHARED, ...STAGES, branchConvolutions: [2, 1, 0] }),
  "ZTW-ResNet": zeroTimeWaste({ ...SHARED, ...STAGES }),
};

/** Random weights and statistics, made ready for evaluation. */
function withPass(network: MultiExitNetwork, work: (pass: EvaluationPass) => void): void {
  const state = stateFrom(network, (tensor) => {
    const draws = randomStream(5, tensor.name);
    const [size = 1, , , outputs = 1] = tensor.shape;
    return Float32Array.from({ length: tensor.shape.reduce((a, b) => a * b, 1) }, () => {
      if (tensor.role === "filter") return draws.normal() * Math.sqrt(2 / (size * size * outputs));
      return tensor.role === "scale" || tensor.role === "variance" ? 0.5 + draws.uniform() : draws.uniform();
    });
  });
  const pass = evaluationPass(network, state);
  work(pass);
  disposeEvaluationPass(pass);
  disposeState(state);
}

function randomImages(batch: number): Tensor4D {
  const draws = randomStream(batch, "images");
  const pixels = Float32Array.from({ length: batch * SIDE ** 2 * 3 }, () => draws.normal());
  return tf.tensor4d(pixels, [batch, SIDE, SIDE, 3]);
}

/** Logits [T, B, K], node by node as the network is described. */
function nodeByNode(
  { nodes, exits, boosting }: MultiExitNetwork,
  pass: EvaluationPass,
  images: Tensor4D,
): number[] {
  const share = boosting?.share ?? 0;
  return scoped(() => {
    const values = new Map<string, Sequence>([
      [IMAGE, { values: images, timeline: { step: [0], rows: [images.shape[0]] } }],
    ]);
    for (const node of nodes) values.set(node.name, runNode(pass, node, values).y);
    let before: Float32Array | undefined;
    return exits.flatMap((exit) => {
      const last: Float32Array | undefined = before;
      const own = runExit(pass, exit, named(values, exit.input), last).y;
      before = own.map((value, i) => value + share * (last?.[i] ?? 0));
      return [...before];
    });
  });
}

test("programs of networks with exits answer as the network is described, by either interpreter, at once and exit by exit", () => {
  for (const [name, network] of Object.entries(NETWORKS))
    withPass(network, (pass) => {
      const { timesteps } = network;
      for (const batch of [1, 3]) {
        const images = randomImages(batch);
        const sequence = { values: images, timeline: constantTimeline(timesteps, batch) };
        const expected = nodeByNode(network, pass, images);
        const row = expected.length / timesteps;
        const program = programOf(
          network,
          SIDE,
          sequence.timeline,
          (norm) => named(pass.norms, norm).equalRows,
        );
        const tensors = tf.memory().numTensors;
        const composed = (): TensorRun => new TensorRun(program, pass, images, batch);
        for (const start of [composed, () => startRun(network, pass, sequence, batch)]) {
          const whole = start();
          assert.ok(relativeError(whole.advance(timesteps - 1), expected) < 1e-5, name);
          whole.dispose();
          const run = start();
          const first = run.advance(1);
          assert.ok(relativeError(first, expected.slice(0, 2 * row)) < 1e-5, name);
          for (let t = 2; t < timesteps; t++)
            assert.ok(relativeError(run.advance(t), expected.slice(t * row, (t + 1) * row)) < 1e-5, name);
          run.dispose();
        }
        // What a pass keeps of a program is freed with it.
        assert.ok(tf.memory().numTensors - tensors <= 1, name);
        if (batch === 1) {
          const streamed = [...stream(network, pass, images)].flatMap(({ logits }) => [...logits]);
          assert.ok(relativeError(streamed, expected) < 1e-5, name);
        }
        images.dispose();
      }
    });
});

/** Names of the convolutions that exits up to t need, from the exits back to the image. */
function neededConvolutions({ nodes, exits }: MultiExitNetwork, t: number): string[] {
  const asked = exits.slice(0, t + 1);
  const needed = new Set(asked.map(({ input }) => input));
  for (const node of nodes.toReversed())
    if (needed.has(node.name)) for (const input of inputsOf(node)) needed.add(input);
  const chains = [
    ...nodes.flatMap((node) => (node.kind === "chain" && needed.has(node.name) ? [node.chain] : [])),
    ...asked.map(({ chain }) => chain),
  ];
  return chains.flatMap(chainConvolutions).map(({ name }) => name);
}

/** Names of the convolutions that a program carries out for the answers up to t. */
function dueConvolutions({ values, instructions }: Program, t: number): string[] {
  return instructions.flatMap((instruction) => {
    if (instruction.kind !== "convolve" || instruction.convolution === undefined) return [];
    return dueSteps(valueAt(values, instruction.y), -1, t).map(() => instruction.convolution?.name ?? "");
  });
}

test("no exit has more computed than it needs, and nothing is computed twice", () => {
  for (const [name, network] of Object.entries(NETWORKS)) {
    const program = programOf(network, SIDE, constantTimeline(network.timesteps, 2), () => [0]);
    for (let t = 0; t < network.timesteps; t++)
      assert.deepEqual(dueConvolutions(program, t).sort(), neededConvolutions(network, t).sort(), name);
  }
});

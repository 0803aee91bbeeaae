import { z } from "zod";
import type { Stage } from "../nn/chain.js";
import type { ConvolutionSpec } from "../nn/convolution.js";
import type { Exit } from "../nn/exit.js";
import { type GraphNode, IMAGE } from "../nn/feature-graph.js";
import { UserError } from "../util/errors.js";
import { type FieldFault, multiExitArchitecture } from "./architecture.js";
import type { MultiExitNetwork, MultiExitSpec } from "./multi-exit-network.js";

/**
 * A Shallow-Deep Network (Kaya et al., "Shallow-deep networks: understanding and mitigating network overthinking", 2019) on a
 * ResNet for small images: internal classifiers after some of its residual blocks, each with a mixed pool to 4 x 4 positions.
 */
export interface ShallowDeepNetworkSpec extends MultiExitSpec {
  /** Channels of each stage; from the second on, a stage begins with stride 2. */
  readonly channels: readonly number[];
  /** For each stage and block, whether a classifier follows; as many blocks as there are entries. */
  readonly exitAfter: readonly (readonly boolean[])[];
}

export type ShallowDeepNetwork = MultiExitNetwork<ShallowDeepNetworkSpec>;

/** Side of the maps that an internal classifier reads. */
const REDUCED_SIDE = 4;

/** Lays the network out; its names are the public implementation's. */
export function shallowDeepNetwork(spec: ShallowDeepNetworkSpec): ShallowDeepNetwork {
  const nodes: GraphNode[] = [];
  const exits: Exit[] = [];
  let inputs = spec.channels[0] ?? 0;
  let side = spec.imageSize;
  let x = "init_conv";
  nodes.push({
    kind: "chain",
    name: x,
    input: IMAGE,
    chain: [normed("init_conv", 0, { size: 3, stride: 1, inputs: 3, outputs: inputs }, true)],
  });
  let block = 0;
  for (const [stage, blocks] of spec.exitAfter.entries()) {
    const outputs = spec.channels[stage] ?? 0;
    for (const [i, hasExit] of blocks.entries()) {
      const name = `layers.${block++}`;
      const stride = stage > 0 && i === 0 ? 2 : 1;
      const sum = residualBlock(name, x, { inputs, outputs, stride }, nodes);
      side /= stride;
      if (hasExit) exits.push(internalClassifier(`${name}.output`, sum, outputs, side));
      [x, inputs] = [name, outputs];
    }
  }
  exits.push({
    name: "end_layers.2",
    input: x,
    chain: [{ kind: "globalAveragePool" }],
    side: 1,
    channels: inputs,
  });
  return { kind: "multiExit", spec, timesteps: exits.length, nodes, exits };
}

/** Shallow-Deep Networks on a ResNet, as a spec asks for them. The preset "shallow-deep-network" is a serial cascade. */
export const SDN_RESNET = multiExitArchitecture({
  name: "sdn-resnet",
  fields: {
    /** Channels of each stage; from the second on, a stage begins with stride 2. */
    channels: z.array(z.int().min(1).max(4096)).min(1).max(6),
    /** Residual blocks of each stage. */
    blocks: z.array(z.int().min(1).max(200)).min(1).max(6),
    /** The blocks after which an internal classifier stands, counted from 1 over all stages. */
    exits: z.array(z.int().min(1)),
  },
  model: "SDN-ResNet",
  exitWeights: "shallowDeep",
  faultOf: residualFault,
  build: (shared, { channels, blocks, exits }) =>
    shallowDeepNetwork({ ...shared, channels, exitAfter: exitsByStage(blocks, exits) }),
});

/** What does not go together in stages of residual blocks with exits after some of them. */
export function residualFault({
  channels,
  blocks,
  exits,
}: {
  readonly channels: readonly number[];
  readonly blocks: readonly number[];
  readonly exits: readonly number[];
}): FieldFault | undefined {
  if (channels.length !== blocks.length)
    return {
      field: "blocks",
      message: `there are ${blocks.length} for the channels of ${channels.length} stages (network.channels); give one each`,
    };
  const last = blocks.reduce((sum, count) => sum + count, 0);
  const isInOrder = exits.every((exit, i) => exit > (exits[i - 1] ?? 0) && exit <= last);
  if (isInOrder) return undefined;
  return { field: "exits", message: `allowed: blocks in ascending order, from 1 to ${last}` };
}

/** For each stage and block, whether an exit stands after it. */
export function exitsByStage(blocks: readonly number[], exits: readonly number[]): boolean[][] {
  let block = 0;
  return blocks.map((count) => Array.from({ length: count }, () => exits.includes(++block)));
}

/**
 * relu(residual(x) + shortcut(x)); the shortcut of a block that changes shape is a 1x1 convolution and batch norm. Gives
 * the name of the sum, which a classifier reads without the ReLU, as published.
 */
function residualBlock(
  name: string,
  input: string,
  { inputs, outputs, stride }: Pick<ConvolutionSpec, "inputs" | "outputs" | "stride">,
  nodes: GraphNode[],
): string {
  const residual = `${name}.layers.0`;
  const shortcut = `${name}.layers.1`;
  nodes.push({
    kind: "chain",
    name: residual,
    input,
    chain: [
      normed(residual, 0, { size: 3, stride, inputs, outputs }, true),
      normed(residual, 3, { size: 3, stride: 1, inputs: outputs, outputs }, false),
    ],
  });
  const isIdentity = stride === 1 && inputs === outputs;
  if (!isIdentity) {
    const chain = [normed(shortcut, 0, { size: 1, stride, inputs, outputs }, false)];
    nodes.push({ kind: "chain", name: shortcut, input, chain });
  }
  const sum = `${name}.sum`;
  nodes.push({ kind: "add", name: sum, inputs: [residual, isIdentity ? input : shortcut] });
  nodes.push({ kind: "relu", name, input: sum });
  return sum;
}

/** Feature reduction by a mixed pool, then a linear layer on what is left. */
function internalClassifier(name: string, input: string, channels: number, side: number): Exit {
  const window = Math.floor(side / REDUCED_SIDE);
  if (side < REDUCED_SIDE) return { name: `${name}.linear`, input, chain: [], side, channels };
  if (!Number.isInteger(Math.log2(window)) || side % window !== 0) {
    throw new UserError(
      `the classifier ${name} reads maps of side ${side}, which cannot be reduced to ${REDUCED_SIDE} by halving; give images whose side is a power of two`,
    );
  }
  return {
    name: `${name}.linear`,
    input,
    chain: [{ kind: "mixedPool", alpha: `${name}.alpha`, window }],
    side: side / window,
    channels,
  };
}

/** Convolution and batch norm under the numbers that they have in the public implementation's modules. */
function normed(name: string, place: number, shape: Omit<ConvolutionSpec, "name">, relu: boolean): Stage {
  return {
    kind: "convolutionNorm",
    convolution: { name: `${name}.${place}`, ...shape },
    norm: `${name}.${place + 1}`,
    relu,
  };
}

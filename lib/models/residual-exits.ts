import { z } from "zod";
import type { ConvolutionSpec } from "../nn/convolution.js";
import type { Exit } from "../nn/exit.js";
import { type GraphNode, IMAGE } from "../nn/feature-graph.js";
import { type FieldFault, type MultiExitArchitecture, multiExitArchitecture } from "./architecture.js";
import type { MultiExitNetwork, MultiExitSpec } from "./multi-exit-network.js";
import { normed } from "./numbered-stage.js";

/** What multi-exit networks on a ResNet for small images say of it. */
export interface ResidualExitsSpec extends MultiExitSpec {
  /** Channels of each stage; from the second on, a stage begins with stride 2. */
  readonly channels: readonly number[];
  /** For each stage and block, whether an internal classifier follows; as many blocks as there are entries. */
  readonly exitAfter: readonly (readonly boolean[])[];
}

/** Where an internal classifier stands. */
export interface ExitPlace {
  /** Of the block. */
  readonly name: string;
  /** The block's value, and the sum of residual and shortcut that it is the ReLU of. */
  readonly block: string;
  readonly sum: string;
  readonly channels: number;
  readonly side: number;
  /** Place among the exits, from 0. */
  readonly exit: number;
}

/**
 * A residual network for small images (He et al., "Deep residual learning", 2016): a 3x3 convolution, stages of residual blocks of
 * two 3x3 convolutions, a global average pool and a linear layer; internal classifiers as `exitAt` lays them out.
 */
export function residualExits<Spec extends ResidualExitsSpec>(
  spec: Spec,
  exitAt: (place: ExitPlace) => Exit,
): MultiExitNetwork<Spec> {
  const nodes: GraphNode[] = [];
  const exits: Exit[] = [];
  let inputs = spec.channels[0] ?? 0;
  let side = spec.imageSize;
  let x = "init_conv";
  const first = normed("init_conv", 0, { size: 3, stride: 1, inputs: 3, outputs: inputs }, true);
  nodes.push({ kind: "chain", name: x, input: IMAGE, chain: [first] });
  let block = 0;
  for (const [stage, blocks] of spec.exitAfter.entries()) {
    const outputs = spec.channels[stage] ?? 0;
    for (const [i, hasExit] of blocks.entries()) {
      const name = `layers.${block++}`;
      const stride = stage > 0 && i === 0 ? 2 : 1;
      const sum = residualBlock(name, x, { inputs, outputs, stride }, nodes);
      side /= stride;
      if (hasExit)
        exits.push(exitAt({ name, block: name, sum, channels: outputs, side, exit: exits.length }));
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

/** relu(residual(x) + shortcut(x)); the shortcut of a block that changes shape is a 1x1 convolution and batch norm. Gives the name of the sum. */
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

/** The ResNet and its exits as a spec describes them. */
export const RESIDUAL_FIELDS = {
  /** Channels of each stage; from the second on, a stage begins with stride 2. */
  channels: z.array(z.int().min(1).max(4096)).min(1).max(6),
  /** Residual blocks of each stage. */
  blocks: z.array(z.int().min(1).max(200)).min(1).max(6),
  /** The blocks after which an internal classifier stands, counted from 1 over all stages. */
  exits: z.array(z.int().min(1)),
};

type ResidualFields = z.output<z.ZodObject<typeof RESIDUAL_FIELDS>>;

/** What does not go together in them. */
export function residualFault({ channels, blocks, exits }: ResidualFields): FieldFault | undefined {
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

/** A family of such ResNets that have no fields beside these, laid out by `network`. */
export function residualArchitecture<const Name extends string>({
  network,
  ...given
}: Pick<MultiExitArchitecture<Name>, "name" | "model" | "exitWeights"> & {
  readonly network: (spec: ResidualExitsSpec) => MultiExitNetwork;
}) {
  return multiExitArchitecture({
    ...given,
    fields: RESIDUAL_FIELDS,
    faultOf: residualFault,
    build: (shared, own) => network({ ...shared, ...residualLayout(own) }),
  });
}

/** The layout that they describe: channels, and for each stage and block whether an exit stands after it. */
export function residualLayout({
  channels,
  blocks,
  exits,
}: ResidualFields): Pick<ResidualExitsSpec, "channels" | "exitAfter"> {
  let block = 0;
  const exitAfter = blocks.map((count) => Array.from({ length: count }, () => exits.includes(++block)));
  return { channels, exitAfter };
}

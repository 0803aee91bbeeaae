import { z } from "zod";
import type { Exit } from "../nn/exit.js";
import { type GraphNode, IMAGE } from "../nn/feature-graph.js";
import type { Chain } from "../nn/chain.js";
import { outputSide } from "../nn/convolution.js";
import { valueAt } from "../nn/timeline.js";
import { multiExitArchitecture } from "./architecture.js";
import type { MultiExitNetwork, MultiExitSpec } from "./multi-exit-network.js";
import { normed } from "./numbered-stage.js";

/**
 * A multi-scale dense network (Huang et al., "Multi-scale dense networks for resource efficient image classification", 2018).
 * Every layer has features at several scales, scale s at half the side of s - 1, and adds to those of its own scale and, by
 * a convolution of stride 2, from the next finer one; classifiers read the coarsest scale:
 *
 *     x[l][s] = concat(x[l-1][s], down(x[l-1][s-1]), normal(x[l-1][s]))
 */
export interface MsdNetSpec extends MultiExitSpec {
  /** Classifiers. */
  readonly exits: number;
  /** Layers before the first classifier. */
  readonly base: number;
  /** Layers between two classifiers: `step` each time ("even"), or step i + 1 before classifier i ("linear"). */
  readonly stepMode: "even" | "linear";
  readonly step: number;
  /** Channels of the first layer at the finest scale. */
  readonly channels: number;
  /** Channels that a layer adds at the finest scale. */
  readonly growth: number;
  /** Multiple of channels and growth at each scale. */
  readonly scaleFactors: readonly number[];
  /** A 1x1 convolution to so many times the new channels comes before each 3x3, for each scale. */
  readonly bottleneckFactors: readonly number[];
  /** Whether fine scales are given up in equal thirds of the depth ("max") or as late as can be ("min"). */
  readonly prune: "max" | "min";
  /** Share of the channels that a transition keeps where scales are given up. */
  readonly reduction: number;
}

export type MsdNet = MultiExitNetwork<MsdNetSpec>;

/** Channels of both convolutions of a classifier. */
const CLASSIFIER_CHANNELS = 128;

/** Names of the values at the scales that are still there, finest first. */
type Scales = readonly string[];

/** Lays the network out; its names are the public implementation's. */
export function msdNet(spec: MsdNetSpec): MsdNet {
  const nodes: GraphNode[] = [];
  const exits: Exit[] = [];
  const steps = layersPerBlock(spec);
  const total = steps.reduce((sum, step) => sum + step, 0);
  let channels = spec.channels;
  let scales = firstLayer(spec, nodes);
  let layer = 0;
  for (const [block, step] of steps.entries()) {
    let module = block === 0 ? 1 : 0;
    for (let i = 0; i < step; i++) {
      layer++;
      const { before, after } = scalesAt(spec, layer, total);
      scales = denseLayer(spec, `blocks.${block}.${module++}`, channels, scales, { before, after }, nodes);
      channels += spec.growth;
      if (!hasTransition(spec, layer, total, before > after)) continue;
      const reduced = Math.floor(spec.reduction * channels);
      scales = transition(spec, `blocks.${block}.${module++}`, channels, reduced, scales, nodes);
      channels = reduced;
    }
    const coarsest = valueAt(scales, scales.length - 1);
    exits.push(
      classifier(spec, block, coarsest, channels * valueAt(spec.scaleFactors, spec.scaleFactors.length - 1)),
    );
  }
  return { kind: "multiExit", spec, timesteps: exits.length, nodes, exits };
}

const factors = z.array(z.int().min(1).max(64)).min(1).max(6);

/** An MSDNet as a spec describes it. */
export const MSDNET_FIELDS = {
  exits: z.int().min(1).max(50),
  base: z.int().min(1).max(50),
  stepMode: z.enum(["even", "linear"]),
  step: z.int().min(1).max(50),
  channels: z.int().min(1).max(1024),
  growth: z.int().min(1).max(256),
  scaleFactors: factors,
  bottleneckFactors: factors,
  prune: z.enum(["max", "min"]),
  reduction: z.number().min(0).lt(1),
};

/** Multi-scale dense networks, as a spec asks for them. */
export const MSDNET = multiExitArchitecture({
  name: "msdnet",
  fields: MSDNET_FIELDS,
  model: "MSDNet",
  exitWeights: "equal",
  faultOf: ({ scaleFactors, bottleneckFactors }) =>
    scaleFactors.length === bottleneckFactors.length
      ? undefined
      : {
          field: "bottleneckFactors",
          message: `there are ${bottleneckFactors.length} for ${scaleFactors.length} scales (network.scaleFactors); give one each`,
        },
  build: (shared, own) => msdNet({ ...shared, ...own }),
});

function layersPerBlock({ exits, base, stepMode, step }: MsdNetSpec): number[] {
  return Array.from({ length: exits }, (_, i) => {
    if (i === 0) return base;
    return stepMode === "even" ? step : step * i + 1;
  });
}

/** How many scales a layer (counted from 1) reads and gives. */
function scalesAt(
  { scaleFactors, prune }: MsdNetSpec,
  layer: number,
  total: number,
): { before: number; after: number } {
  const scales = scaleFactors.length;
  if (prune === "min") {
    return { before: Math.min(scales, total - layer + 2), after: Math.min(scales, total - layer + 1) };
  }
  const interval = Math.ceil(total / scales);
  return {
    before: scales - Math.floor(Math.max(0, layer - 2) / interval),
    after: scales - Math.floor((layer - 1) / interval),
  };
}

function hasTransition(
  { prune, reduction }: MsdNetSpec,
  layer: number,
  total: number,
  givesUp: boolean,
): boolean {
  if (reduction === 0) return false;
  return prune === "max" ? givesUp : layer === Math.floor(total / 3) || layer === Math.floor((2 * total) / 3);
}

/** A 3x3 convolution at the finest scale, and one of stride 2 from each scale to the next. */
function firstLayer({ channels, scaleFactors }: MsdNetSpec, nodes: GraphNode[]): Scales {
  let input = IMAGE;
  let inputs = 3;
  return scaleFactors.map((factor, s) => {
    const name = `blocks.0.0.layers.${s}`;
    const outputs = channels * factor;
    const stage = normed(`${name}.net`, 0, { size: 3, stride: s === 0 ? 1 : 2, inputs, outputs }, true);
    nodes.push({ kind: "chain", name, input, chain: [stage] });
    [input, inputs] = [name, outputs];
    return name;
  });
}

function denseLayer(
  spec: MsdNetSpec,
  name: string,
  channels: number,
  scales: Scales,
  { before, after }: { before: number; after: number },
  nodes: GraphNode[],
): Scales {
  const { scaleFactors, bottleneckFactors, growth } = spec;
  const offset = scaleFactors.length - after;
  return Array.from({ length: after }, (_, i) => {
    const scale = offset + i;
    const own = valueAt(scales, before - after + i);
    const added = growth * valueAt(scaleFactors, scale);
    const part = (kind: "down" | "normal", input: string, from: number, outputs: number): string => {
      const node = `${name}.layers.${i}.conv_${kind}`;
      const inner = Math.min(
        channels * valueAt(scaleFactors, from),
        valueAt(bottleneckFactors, from) * outputs,
      );
      const inputs = channels * valueAt(scaleFactors, from);
      const chain: Chain = [
        normed(`${node}.net`, 0, { size: 1, stride: 1, inputs, outputs: inner }, true),
        normed(`${node}.net`, 3, { size: 3, stride: kind === "down" ? 2 : 1, inputs: inner, outputs }, true),
      ];
      nodes.push({ kind: "chain", name: node, input, chain });
      return node;
    };
    const isFinest = scale === 0 || (i === 0 && before === after);
    const finer = isFinest ? undefined : valueAt(scales, before - after + i - 1);
    const parts =
      finer === undefined
        ? [own, part("normal", own, scale, added)]
        : [
            own,
            part("down", finer, scale - 1, Math.floor(added / 2)),
            part("normal", own, scale, Math.floor(added / 2)),
          ];
    nodes.push({ kind: "concatenate", name: `${name}.layers.${i}`, inputs: parts });
    return `${name}.layers.${i}`;
  });
}

/** A 1x1 convolution at each scale that is left, to fewer channels. */
function transition(
  { scaleFactors }: MsdNetSpec,
  name: string,
  channels: number,
  reduced: number,
  scales: Scales,
  nodes: GraphNode[],
): Scales {
  return scales.map((input, i) => {
    const factor = valueAt(scaleFactors, scaleFactors.length - scales.length + i);
    const node = `${name}.m.${i}`;
    const shape = { size: 1, stride: 1, inputs: channels * factor, outputs: reduced * factor };
    nodes.push({ kind: "chain", name: node, input, chain: [normed(`${node}.net`, 0, shape, true)] });
    return node;
  });
}

/** Two 3x3 convolutions of stride 2, an average pool, and a linear layer. */
function classifier(
  { imageSize, scaleFactors }: MsdNetSpec,
  block: number,
  input: string,
  channels: number,
): Exit {
  const name = `classifier.${block}`;
  const shape = { size: 3, stride: 2, outputs: CLASSIFIER_CHANNELS };
  const halved = (side: number): number => outputSide({ size: 3, stride: 2 }, side);
  const coarsest = scaleFactors.slice(1).reduce(halved, imageSize);
  const side = Math.ceil(halved(halved(coarsest)) / 2);
  return {
    name: `${name}.linear`,
    input,
    chain: [
      normed(`${name}.m.0.net`, 0, { ...shape, inputs: channels }, true),
      normed(`${name}.m.1.net`, 0, { ...shape, inputs: CLASSIFIER_CHANNELS }, true),
      { kind: "averagePool" },
    ],
    side,
    channels: CLASSIFIER_CHANNELS,
  };
}

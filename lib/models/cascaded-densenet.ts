import { z } from "zod";
import type { CascadeLayer } from "../nn/cascade-layer.js";
import type { Stage } from "../nn/chain.js";
import { stemConvolution } from "../nn/stem.js";
import { cascadeArchitecture } from "./architecture.js";
import type { CascadedNetwork, CascadeSpec } from "./cascaded-network.js";

/**
 * A DenseNet-BC (Huang et al., "Densely connected convolutional networks", 2017) in which every dense layer's new
 * features have a propagation delay, and its serial twin; what came before passes at once:
 *
 *     out[t] = concat(x[t], delay(newFeatures(x))[t])
 */
export interface CascadedDenseNetSpec extends CascadeSpec {
  /** Channels that a dense layer adds. */
  readonly growth: number;
  /** Dense layers of each dense block; a transition stands between two blocks. */
  readonly layers: readonly number[];
}

/** A DenseNet laid out: what it is made of, in order. */
export type CascadedDenseNet = CascadedNetwork<CascadedDenseNetSpec>;

/** The norm between the last dense block and the head. */
const FINAL_NORM = "final.norm";

/** Channels of the bottleneck for each channel of growth. */
const BOTTLENECK = 4;

/**
 * Lays the network out. Its stem is the ResNet's, with 2 growth channels (the publication's has neither norm nor pool), but
 * without delay, as published. Were it delayed, every layer would begin with features of a blank, the same for all images,
 * which the next steps are given for good: batch norm divides such a channel by sqrt(epsilon), and norm upon norm of it
 * leaves the running statistics nothing to hold on to.
 */
export function cascadedDenseNet(spec: CascadedDenseNetSpec): CascadedDenseNet {
  const { growth } = spec;
  const layers: CascadeLayer[] = [];
  let channels = 2 * growth;
  let position = 0;
  for (const [block, count] of spec.layers.entries()) {
    if (block > 0) {
      layers.push(transition(`transitions.${block - 1}`, channels));
      channels = halved(channels);
    }
    for (let index = 0; index < count; index++) {
      layers.push(denseLayer(`stages.${block}.${index}`, ++position, channels, growth));
      channels += growth;
    }
  }
  layers.push({ kind: "instant", chain: [{ kind: "norm", norm: FINAL_NORM, channels }] });
  return {
    kind: "cascade",
    spec,
    timesteps: spec.timesteps ?? position + 1,
    stem: stemConvolution(spec.stem, 2 * growth),
    stemDelay: { kind: "none" },
    layers,
    features: channels,
  };
}

/** The architecture of the paper's appendix. */
export const DENSENET = cascadeArchitecture({
  name: "densenet",
  fields: {
    growth: z.int().min(1).max(256),
    layers: z.array(z.int().min(1).max(64)).min(1).max(5),
  },
  nameOf: (likeResNet) => `DenseNet-${likeResNet}`,
  mixedPrecision: false,
  build: (shared, own) => cascadedDenseNet({ ...shared, ...own }),
});

/** New features: 1x1 convolution to four times the growth, 3x3 to the growth, each after batch norm and ReLU. */
function denseLayer(name: string, position: number, inputs: number, growth: number): CascadeLayer {
  const part = (n: number, size: number, from: number, outputs: number): Stage => ({
    kind: "normConvolution",
    norm: `${name}.norm${n}`,
    convolution: { name: `${name}.conv${n}`, size, stride: 1, inputs: from, outputs },
  });
  const between = BOTTLENECK * growth;
  const branch = [part(1, 1, inputs, between), part(2, 3, between, growth)];
  return { kind: "delayed", name, position, branch, shortcut: [], combine: "concatenate" };
}

/** Between two dense blocks: 1x1 convolution to half of the channels after batch norm and ReLU, average pool. */
function transition(name: string, inputs: number): CascadeLayer {
  const convolution = { name: `${name}.conv`, size: 1, stride: 1, inputs, outputs: halved(inputs) };
  return {
    kind: "instant",
    chain: [{ kind: "normConvolution", norm: `${name}.norm`, convolution }, { kind: "averagePool" }],
  };
}

/** With an odd number of channels the half is rounded down. */
function halved(channels: number): number {
  return Math.floor(channels / 2);
}

import { z } from "zod";
import type { DelayedLayer } from "../nn/cascade-layer.js";
import type { Chain } from "../nn/chain.js";
import type { ConvolutionSpec } from "../nn/convolution.js";
import { stemConvolution } from "../nn/stem.js";
import { valueAt } from "../nn/timeline.js";
import { cascadeArchitecture } from "./architecture.js";
import type { CascadedNetwork, CascadeSpec } from "./cascaded-network.js";

/**
 * A residual network (He et al., "Deep residual learning", 2016) in which every block has a propagation delay, and its
 * serial twin:
 *
 *     out[t] = relu(delay(residual(x))[t] + shortcut(x[t]))
 */
export interface CascadedResNetSpec extends CascadeSpec {
  readonly depth: 18 | 34 | 50;
  /** Multiple of the usual channels 64, 128, 256, 512. */
  readonly width: number;
}

/** The network laid out: what it is made of, in order. */
export interface CascadedResNet extends CascadedNetwork<CascadedResNetSpec> {
  readonly layers: readonly DelayedLayer[];
}

const BLOCKS_PER_STAGE = { 18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3] } as const;
const STAGE_CHANNELS = [64, 128, 256, 512] as const;

/**
 * Lays out a ResNet of depth 18, 34 or 50 whose stem and blocks have a delay: stages of 64, 128, 256 and 512 channels
 * (times the width), strides 1, 2, 2, 2. In the parallel scheme every block computes at every timestep from what the one
 * before it gave, in the serial one block after block (section 2 of the paper). A description; `initialState` draws its
 * weights, `forward` runs it.
 */
export function cascadedResNet(spec: CascadedResNetSpec): CascadedResNet {
  const channelsOf = (stage: number): number =>
    Math.max(1, Math.round(valueAt(STAGE_CHANNELS, stage) * spec.width));
  const convolutionsOf = spec.depth === 50 ? bottleneck : basicBlock;
  const layers: DelayedLayer[] = [];
  let inputs = channelsOf(0);
  for (const [stage, count] of BLOCKS_PER_STAGE[spec.depth].entries()) {
    for (let index = 0; index < count; index++) {
      const name = `stages.${stage}.${index}`;
      const stride = stage > 0 && index === 0 ? 2 : 1;
      const convolutions = convolutionsOf(name, inputs, channelsOf(stage), stride);
      const outputs = valueAt(convolutions, convolutions.length - 1).outputs;
      layers.push({
        kind: "delayed",
        name,
        position: layers.length + 1,
        branch: residual(name, convolutions),
        shortcut: shortcut(name, inputs, outputs, stride),
        combine: "addRelu",
      });
      inputs = outputs;
    }
  }
  return {
    kind: "cascade",
    spec,
    timesteps: spec.timesteps ?? layers.length + 1,
    stem: stemConvolution(spec.stem, channelsOf(0)),
    stemDelay: spec.scheme.delay,
    layers,
    features: inputs,
  };
}

/** The paper's own architecture, which goes unnamed. */
export const RESNET = cascadeArchitecture({
  name: "resnet",
  fields: {
    depth: z.literal([18, 34, 50]),
    /** Multiple of the channels 64, 128, 256, 512. */
    width: z.number().gt(0).max(4),
  },
  nameOf: (likeResNet) => likeResNet,
  mixedPrecision: true,
  build: (shared, own) => cascadedResNet({ ...shared, ...own }),
});

/** Two 3x3 convolutions. */
function basicBlock(name: string, inputs: number, channels: number, stride: number): ConvolutionSpec[] {
  return [
    { name: `${name}.conv1`, size: 3, stride, inputs, outputs: channels },
    { name: `${name}.conv2`, size: 3, stride: 1, inputs: channels, outputs: channels },
  ];
}

/** 1x1 to reduce, 3x3 with the stride, 1x1 to expand fourfold. */
function bottleneck(name: string, inputs: number, channels: number, stride: number): ConvolutionSpec[] {
  return [
    { name: `${name}.conv1`, size: 1, stride: 1, inputs, outputs: channels },
    { name: `${name}.conv2`, size: 3, stride, inputs: channels, outputs: channels },
    { name: `${name}.conv3`, size: 1, stride: 1, inputs: channels, outputs: 4 * channels },
  ];
}

/** Convolution and batch norm in turn, ReLU after each but the last. */
function residual(name: string, convolutions: readonly ConvolutionSpec[]): Chain {
  return convolutions.map((convolution, k) => ({
    kind: "convolutionNorm",
    convolution,
    norm: `${name}.norm${k + 1}`,
    relu: k < convolutions.length - 1,
  }));
}

/** The 1x1 convolution of a block that changes shape; it has no batch norm. */
function shortcut(name: string, inputs: number, outputs: number, stride: number): Chain {
  if (inputs === outputs && stride === 1) return [];
  return [
    { kind: "convolution", convolution: { name: `${name}.shortcut`, size: 1, stride, inputs, outputs } },
  ];
}

import {
  basicBlock,
  blockOutputSide,
  type BlockSpec,
  bottleneck,
  residualBlock,
  type Scheme,
} from "../nn/residual-block.js";
import { head, headName, type Heads, type Logits } from "../nn/head.js";
import { type Layer, noPullback, type NormSettings, type Pass, type Sequence } from "../nn/pass.js";
import { type StemKind, stem, stemConvolution, stemOutputSide } from "../nn/stem.js";
import { type ConvolutionSpec, filterShape } from "../nn/convolution.js";
import { scoped, type Tensor4D, tf } from "../nn/tensorflow.js";
import { valueAt } from "../nn/timeline.js";

/** A residual network in which every block has a propagation delay, and its serial twin. */
export interface CascadedResNetSpec {
  readonly depth: 18 | 34 | 50;
  /** Multiple of the usual channels 64, 128, 256, 512. */
  readonly width: number;
  readonly classes: number;
  readonly stem: StemKind;
  readonly scheme: Scheme;
  readonly heads: Heads;
  readonly norm: NormSettings;
  /** Timesteps T; by default the number of blocks + 1. */
  readonly timesteps?: number | undefined;
}

/** The network laid out: what it is made of, in order. */
export interface CascadedResNet {
  readonly spec: CascadedResNetSpec;
  readonly timesteps: number;
  readonly stem: ConvolutionSpec;
  readonly blocks: readonly BlockSpec[];
  /** Channels that the head reads. */
  readonly features: number;
}

const BLOCKS_PER_STAGE = { 18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3] } as const;
const STAGE_CHANNELS = [64, 128, 256, 512] as const;

export function cascadedResNet(spec: CascadedResNetSpec): CascadedResNet {
  const channelsOf = (stage: number): number =>
    Math.max(1, Math.round(valueAt(STAGE_CHANNELS, stage) * spec.width));
  const bottlenecks = spec.depth === 50;
  const blocks: BlockSpec[] = [];
  let inputs = channelsOf(0);
  for (const [stage, count] of BLOCKS_PER_STAGE[spec.depth].entries()) {
    const channels = channelsOf(stage);
    for (let index = 0; index < count; index++) {
      const stride = stage > 0 && index === 0 ? 2 : 1;
      const build = bottlenecks ? bottleneck : basicBlock;
      blocks.push(build(`stages.${stage}.${index}`, blocks.length + 1, inputs, channels, stride));
      inputs = bottlenecks ? 4 * channels : channels;
    }
  }
  return {
    spec,
    timesteps: spec.timesteps ?? blocks.length + 1,
    stem: stemConvolution(spec.stem, channelsOf(0)),
    blocks,
    features: inputs,
  };
}

/** What a tensor of the network is for, with its shape. */
export interface TensorSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly role: "filter" | "linear" | "bias" | "scale" | "offset" | "mean" | "variance";
}

/** Every parameter and running statistic of the network, in order from the image to the logits. */
export function tensorSpecs(network: CascadedResNet): TensorSpec[] {
  const { spec, timesteps } = network;
  const filter = (convolution: ConvolutionSpec): TensorSpec => ({
    name: `${convolution.name}.weight`,
    shape: filterShape(convolution),
    role: "filter",
  });
  const norm = (name: string, channels: number): TensorSpec[] => {
    const affine = spec.norm.temporalAffine ? [timesteps, channels] : [channels];
    return [
      { name: `${name}.scale`, shape: affine, role: "scale" },
      { name: `${name}.offset`, shape: affine, role: "offset" },
      { name: `${name}.mean`, shape: [timesteps, channels], role: "mean" },
      { name: `${name}.variance`, shape: [timesteps, channels], role: "variance" },
    ];
  };
  const ofBlock = (block: BlockSpec): TensorSpec[] => [
    ...block.convolutions.flatMap((convolution, k) => [
      filter(convolution),
      ...norm(`${block.name}.norm${k + 1}`, convolution.outputs),
    ]),
    ...(block.shortcut === undefined ? [] : [filter(block.shortcut)]),
  ];
  const heads = spec.heads === "single" ? 1 : timesteps;
  return [
    filter(network.stem),
    ...norm("stem.norm", network.stem.outputs),
    ...network.blocks.flatMap(ofBlock),
    ...Array.from({ length: heads }, (_, t): TensorSpec[] => [
      { name: `${headName(spec.heads, t)}.weight`, shape: [network.features, spec.classes], role: "linear" },
      { name: `${headName(spec.heads, t)}.bias`, shape: [spec.classes], role: "bias" },
    ]).flat(),
  ];
}

/** Names of the batch norms, in order. */
export function normNames(network: CascadedResNet): string[] {
  return tensorSpecs(network)
    .filter((tensor) => tensor.role === "mean")
    .map((tensor) => tensor.name.replace(/\.mean$/, ""));
}

/** Number of trained numbers. */
export function parameterCount(network: CascadedResNet): number {
  return tensorSpecs(network)
    .filter((tensor) => tensor.role !== "mean" && tensor.role !== "variance")
    .reduce((sum, tensor) => sum + tensor.shape.reduce((a, b) => a * b, 1), 0);
}

/** Side of the square map after the stem and after each block, for images of side `side`. */
export function mapSides(network: CascadedResNet, side: number): number[] {
  const sides = [stemOutputSide(network.stem, side)];
  for (const block of network.blocks) sides.push(blockOutputSide(block, valueAt(sides, sides.length - 1)));
  return sides;
}

/**
 * Runs the network over all timesteps, layer by layer with time on the batch axis, every distinct step once.
 * images: [rows, H, W, 3] on their timeline; the result are the logits [T, B, K], and, in a training pass, the
 * pullback that turns their gradient into the pass's gradients.
 */
export function forward(
  network: CascadedResNet,
  pass: Pass,
  images: Sequence,
  batch: number,
): Layer<Logits, Float32Array, void> {
  const { scheme, heads } = network.spec;
  if (pass.kind === "evaluation") return { y: evaluate(network, pass, images, batch), pullback: noPullback };
  const first = stem(pass, network.stem, scheme.delay, images);
  const blocks: Layer[] = [];
  let x = first.y;
  for (const block of network.blocks) {
    const layer = residualBlock(pass, block, scheme, x);
    blocks.push(layer);
    x = layer.y;
  }
  const last = head(pass, heads, x, batch);
  return {
    y: last.y,
    pullback: (dlogits) => {
      first.pullback(blocks.reduceRight((dy, block) => block.pullback(dy), last.pullback(dlogits)));
    },
  };
}

/** As `forward`, without keeping anything for a way back. */
function evaluate(network: CascadedResNet, pass: Pass, images: Sequence, batch: number): Logits {
  return scoped(() => {
    const { scheme, heads } = network.spec;
    let x = withinScope(() => stem(pass, network.stem, scheme.delay, images).y);
    for (const block of network.blocks) {
      const before = x;
      x = withinScope(() => residualBlock(pass, block, scheme, before).y);
      before.values.dispose();
    }
    return head(pass, heads, x, batch).y;
  });
}

/** Frees everything that a layer made but its result. */
function withinScope(layer: () => Sequence): Sequence {
  let timeline: Sequence["timeline"] | undefined;
  const values: Tensor4D = tf.tidy(() => {
    const y = layer();
    timeline = y.timeline;
    return y.values;
  });
  return { values, timeline: timeline as Sequence["timeline"] };
}

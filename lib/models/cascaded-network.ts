import { head, headName, type Heads, type Logits } from "../nn/head.js";
import { type CascadeLayer, chainsOf, runLayer } from "../nn/cascade-layer.js";
import type { ConvolutionSpec } from "../nn/convolution.js";
import type { Delay } from "../nn/delay.js";
import type { Layer, NormSettings, Pass, Sequence } from "../nn/pass.js";
import type { Scheme } from "../nn/scheme.js";
import { stem, type StemKind } from "../nn/stem.js";
import { chainTensors, filterTensor, linearTensors, normTensors, type TensorSpec } from "./tensor-spec.js";

/** What the spec of every cascaded network says. */
export interface CascadeSpec {
  readonly classes: number;
  readonly stem: StemKind;
  readonly scheme: Scheme;
  readonly heads: Heads;
  readonly norm: NormSettings;
  /** Timesteps T; by default the number of delayed layers + 1. */
  readonly timesteps?: number | undefined;
}

/** A network in time, laid out: a stem, layers with delays, a head at every timestep. */
export interface CascadedNetwork<Spec extends CascadeSpec = CascadeSpec> {
  readonly kind: "cascade";
  readonly spec: Spec;
  readonly timesteps: number;
  readonly stem: ConvolutionSpec;
  /** How the stem's result is held back. */
  readonly stemDelay: Delay;
  /** The layers between stem and head, in order. */
  readonly layers: readonly CascadeLayer[];
  /** Channels that the head reads. */
  readonly features: number;
}

/** Every parameter and running statistic of the network, in order from the image to the logits. */
export function cascadeTensors(network: CascadedNetwork): TensorSpec[] {
  const { spec, timesteps } = network;
  const heads = spec.heads === "single" ? 1 : timesteps;
  return [
    filterTensor(network.stem),
    ...normTensors("stem.norm", network.stem.outputs, timesteps, spec.norm),
    ...network.layers.flatMap(chainsOf).flatMap((chain) => chainTensors(chain, timesteps, spec.norm)),
    ...Array.from({ length: heads }, (_, t) =>
      linearTensors(headName(spec.heads, t), network.features, spec.classes),
    ).flat(),
  ];
}

/**
 * Runs the network over all timesteps in training, layer by layer with time on the batch axis, every distinct step once.
 * images: [rows, H, W, 3] on their timeline; the result are the logits [T, B, K], and the pullback that turns their
 * gradient into the pass's gradients. (Evaluation: evaluation.ts.)
 */
export function cascadeForward(
  network: CascadedNetwork,
  pass: Pass,
  images: Sequence,
  batch: number,
): Layer<Logits, Float32Array, void> {
  const { heads, scheme } = network.spec;
  const first = stem(pass, network.stem, network.stemDelay, images);
  const layers: Layer[] = [];
  let x = first.y;
  for (const described of network.layers) {
    const layer = runLayer(pass, described, scheme, x);
    layers.push(layer);
    x = layer.y;
  }
  const last = head(pass, heads, x, batch);
  return {
    y: last.y,
    pullback: (dlogits) => {
      first.pullback(layers.reduceRight((dy, layer) => layer.pullback(dy), last.pullback(dlogits)));
    },
  };
}

import {
  denseLayer,
  denseLayerCost,
  type DenseLayerSpec,
  denseLayerSpec,
  type NormalizedConvolution,
  transition,
  transitionCost,
  type TransitionSpec,
  transitionSpec,
} from "../nn/dense-layer.js";
import { stemConvolution } from "../nn/stem.js";
import { temporalBatchNorm } from "../nn/temporal-batch-norm.js";
import type { CascadeFrame, CascadeLayer, CascadeSpec } from "./cascade-layer.js";
import { filterTensor, normTensors, type TensorSpec } from "./tensor-spec.js";

/**
 * A DenseNet-BC (Huang et al., "Densely connected convolutional networks", 2017) in which every dense layer's new
 * features have a propagation delay, and its serial twin.
 */
export interface CascadedDenseNetSpec extends CascadeSpec {
  /** Channels that a dense layer adds. */
  readonly growth: number;
  /** Dense layers of each dense block; a transition stands between two blocks. */
  readonly layers: readonly number[];
}

/** The network laid out: what it is made of, in order. */
export interface CascadedDenseNet extends CascadeFrame {
  readonly kind: "densenet";
  readonly spec: CascadedDenseNetSpec;
  readonly layers: readonly (DenseLayerSpec | TransitionSpec)[];
}

/** The norm between the last dense block and the head. */
export const FINAL_NORM = "final.norm";

/**
 * Lays the network out. Its stem is the ResNet's, with 2 growth channels (the publication's has neither norm nor pool), but
 * without delay, as published. Were it delayed, every layer would begin with features of a blank, the same for all images,
 * which the next steps are given for good: batch norm divides such a channel by sqrt(epsilon), and norm upon norm of it
 * leaves the running statistics nothing to hold on to.
 */
export function cascadedDenseNet(spec: CascadedDenseNetSpec): CascadedDenseNet {
  const { growth } = spec;
  const layers: (DenseLayerSpec | TransitionSpec)[] = [];
  let channels = 2 * growth;
  let position = 0;
  for (const [block, count] of spec.layers.entries()) {
    if (block > 0) {
      const between = transitionSpec(`transitions.${block - 1}`, channels);
      layers.push(between);
      channels = between.halve.convolution.outputs;
    }
    for (let index = 0; index < count; index++) {
      layers.push(denseLayerSpec(`stages.${block}.${index}`, ++position, channels, growth));
      channels += growth;
    }
  }
  return {
    kind: "densenet",
    spec,
    timesteps: spec.timesteps ?? position + 1,
    stem: stemConvolution(spec.stem, 2 * growth),
    stemDelay: { kind: "none" },
    layers,
    features: channels,
  };
}

/** Dense layers, transitions and the final norm as the layers of a cascade. */
export function denseNetLayers({ layers, spec, timesteps, features }: CascadedDenseNet): CascadeLayer[] {
  const norm = (name: string, channels: number): TensorSpec[] =>
    normTensors(name, channels, timesteps, spec.norm);
  const tensors = (part: NormalizedConvolution): TensorSpec[] => [
    ...norm(part.norm, part.convolution.inputs),
    filterTensor(part.convolution),
  ];
  return [
    ...layers.map((layer): CascadeLayer => {
      if (layer.kind === "transition") {
        return {
          tensors: tensors(layer.halve),
          run: (pass, x) => transition(pass, layer, x),
          cost: (side) => {
            const { cost, side: after } = transitionCost(layer, side);
            return { position: undefined, delayed: 0, instant: cost, side: after };
          },
        };
      }
      return {
        tensors: [...tensors(layer.reduce), ...tensors(layer.grow)],
        run: (pass, x) => denseLayer(pass, layer, spec.scheme, x),
        cost: (side) => ({
          position: layer.position,
          delayed: denseLayerCost(layer, side),
          instant: 0,
          side,
        }),
      };
    }),
    {
      tensors: norm(FINAL_NORM, features),
      run: (pass, x) => temporalBatchNorm(pass, FINAL_NORM, x, true),
      cost: (side) => ({ position: undefined, delayed: 0, instant: 0, side }),
    },
  ];
}

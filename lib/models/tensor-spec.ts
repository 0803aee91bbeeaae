import type { Chain } from "../nn/chain.js";
import { type ConvolutionSpec, filterShape } from "../nn/convolution.js";
import type { NormSettings } from "../nn/pass.js";

/** What a tensor of a network is for, with its shape. */
export interface TensorSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly role: "filter" | "linear" | "bias" | "scale" | "offset" | "mean" | "variance" | "mixing";
  /** Inputs of the linear layer that a weight or bias is of. */
  readonly fanIn?: number;
  /** Side of the maps [side, side, C] that a linear weight reads flattened; 1 unless told. */
  readonly mapSide?: number;
}

/** Whether it is a running statistic of a batch norm: not trained by gradients. */
export function isStatistic(tensor: Pick<TensorSpec, "role">): boolean {
  return tensor.role === "mean" || tensor.role === "variance";
}

export function filterTensor(convolution: ConvolutionSpec): TensorSpec {
  return { name: `${convolution.name}.weight`, shape: filterShape(convolution), role: "filter" };
}

/** Weight [C, K] and bias [K] of the linear layer called `name`, which reads maps of side `mapSide`. */
export function linearTensors(name: string, inputs: number, classes: number, mapSide = 1): TensorSpec[] {
  return [
    { name: `${name}.weight`, shape: [inputs, classes], role: "linear", fanIn: inputs, mapSide },
    { name: `${name}.bias`, shape: [classes], role: "bias", fanIn: inputs },
  ];
}

/** Scale, offset and running statistics of the batch norm called `name`. */
export function normTensors(
  name: string,
  channels: number,
  timesteps: number,
  { temporalAffine }: NormSettings,
): TensorSpec[] {
  const affine = temporalAffine ? [timesteps, channels] : [channels];
  return [
    { name: `${name}.scale`, shape: affine, role: "scale" },
    { name: `${name}.offset`, shape: affine, role: "offset" },
    { name: `${name}.mean`, shape: [timesteps, channels], role: "mean" },
    { name: `${name}.variance`, shape: [timesteps, channels], role: "variance" },
  ];
}

/** Every tensor of a chain, in its order. */
export function chainTensors(chain: Chain, timesteps: number, norm: NormSettings): TensorSpec[] {
  const normOf = (name: string, channels: number): TensorSpec[] =>
    normTensors(name, channels, timesteps, norm);
  return chain.flatMap((stage): TensorSpec[] => {
    switch (stage.kind) {
      case "convolution":
        return [filterTensor(stage.convolution)];
      case "convolutionNorm":
        return [filterTensor(stage.convolution), ...normOf(stage.norm, stage.convolution.outputs)];
      case "normConvolution":
        return [...normOf(stage.norm, stage.convolution.inputs), filterTensor(stage.convolution)];
      case "norm":
        return normOf(stage.norm, stage.channels);
      case "mixedPool":
        return [{ name: stage.alpha, shape: [1], role: "mixing" }];
      case "averagePool":
      case "globalAveragePool":
        return [];
    }
  });
}

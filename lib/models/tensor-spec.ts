import { type ConvolutionSpec, filterShape } from "../nn/convolution.js";
import type { NormSettings } from "../nn/pass.js";

/** What a tensor of a network is for, with its shape. */
export interface TensorSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly role: "filter" | "linear" | "bias" | "scale" | "offset" | "mean" | "variance";
}

export function filterTensor(convolution: ConvolutionSpec): TensorSpec {
  return { name: `${convolution.name}.weight`, shape: filterShape(convolution), role: "filter" };
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

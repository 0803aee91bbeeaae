import type { Stage } from "../nn/chain.js";
import type { ConvolutionSpec } from "../nn/convolution.js";

/** Convolution and batch norm under the numbers that they have in the public implementations' modules. */
export function normed(
  name: string,
  place: number,
  shape: Omit<ConvolutionSpec, "name">,
  relu: boolean,
): Stage {
  return {
    kind: "convolutionNorm",
    convolution: { name: `${name}.${place}`, ...shape },
    norm: `${name}.${place + 1}`,
    relu,
  };
}

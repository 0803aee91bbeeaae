import { type AnytimeNetwork, tensorSpecs } from "../../models/anytime-network.js";
import type { TensorSpec } from "../../models/tensor-spec.js";
import type { NamedTensors } from "../../nn/pass.js";
import { toAuthorsLayout } from "./authors-layout.js";

/** Those of a network's tensors that are there, as plain numbers in the authors' layout, under the names that `nameOf` gives them. */
export function authorsValues(
  network: AnytimeNetwork,
  tensors: NamedTensors,
  nameOf: (tensor: TensorSpec) => string = ({ name }) => name,
): Map<string, Float32Array> {
  return new Map(
    tensorSpecs(network).flatMap((spec) => {
      const tensor = tensors.get(spec.name);
      return tensor === undefined
        ? []
        : [[nameOf(spec), toAuthorsLayout(spec, tensor.dataSync<"float32">())] as const];
    }),
  );
}

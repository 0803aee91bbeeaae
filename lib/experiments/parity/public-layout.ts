import type { TensorSpec } from "../../models/tensor-spec.js";
import { authorsShape, fromAuthorsLayout, toAuthorsLayout } from "./authors-layout.js";

/** Names and layout of the opponents' public implementations, which are PyTorch's. */
const SUFFIXES: Readonly<Partial<Record<TensorSpec["role"], string>>> = {
  scale: "weight",
  offset: "bias",
  mean: "running_mean",
  variance: "running_var",
};

export function publicName({ name, role }: TensorSpec): string {
  const suffix = SUFFIXES[role];
  return suffix === undefined ? name : name.replace(/[^.]+$/, suffix);
}

/** A weight that reads maps of several positions is laid out as a filter of their size: [K, C, side, side]. */
function asFilter(tensor: TensorSpec): Pick<TensorSpec, "role" | "shape"> {
  const { role, mapSide = 1, shape } = tensor;
  const [inputs = 1, classes = 1] = shape;
  if (role !== "linear" || mapSide === 1) return tensor;
  return { role: "filter", shape: [mapSide, mapSide, inputs / mapSide ** 2, classes] };
}

export const publicShape = (tensor: TensorSpec): number[] => authorsShape(asFilter(tensor));

export const fromPublicLayout = (tensor: TensorSpec, values: Float32Array): Float32Array =>
  fromAuthorsLayout(asFilter(tensor), values);

export const toPublicLayout = (tensor: TensorSpec, values: Float32Array): Float32Array =>
  toAuthorsLayout(asFilter(tensor), values);

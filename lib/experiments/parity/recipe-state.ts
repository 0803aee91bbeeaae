import type { CascadedResNet } from "../../models/cascaded-resnet.js";
import { isStatistic, type NetworkState, stateFrom } from "../../models/state.js";
import type { TensorSpec } from "../../models/tensor-spec.js";
import type { Sequence } from "../../nn/pass.js";
import { tf } from "../../nn/tensorflow.js";
import { constantTimeline } from "../../nn/timeline.js";
import { UserError } from "../../util/errors.js";
import { recipeUniform } from "../../util/recipe.js";
import { authorsShape, fromAuthorsLayout } from "./authors-layout.js";
import type { ReferenceCase } from "./reference-case.js";

/** Images remade from the recipe: [B, 3, S, S] in the authors' layout, at all timesteps [B, S, S, 3] here. */
export function recipeImages(batch: number, size: number, timesteps: number): Sequence {
  const values = Float32Array.from(recipeUniform(1000, batch * 3 * size * size));
  return {
    values: tf.transpose(tf.tensor4d(values, [batch, 3, size, size]), [0, 2, 3, 1]),
    timeline: constantTimeline(timesteps, batch),
  };
}

/**
 * Every weight and statistic of a case, remade from the recipe: the names in the order of their code points are
 * seeded from 1. A UserError names a tensor that the reference does not have in this shape.
 */
export function recipeState(network: CascadedResNet, reference: ReferenceCase): NetworkState {
  const ordered = [...reference.tensors].sort((a, b) => (a.name < b.name ? -1 : 1));
  const seeds = new Map(ordered.map(({ name }, i) => [name, i + 1]));
  return stateFrom(network, (tensor) => {
    const seed = seeds.get(tensor.name) ?? 0;
    const shape = authorsShape(tensor);
    const listed = ordered[seed - 1]?.shape;
    if (listed?.join() !== shape.join()) throw otherShape(reference.case.name, tensor.name, shape, listed);
    const values = recipeValues(tensor, shape, seed);
    if (isStatistic(tensor) && reference.case.normStatistics === "same") repeatFirstRow(values, shape);
    return fromAuthorsLayout(tensor, values);
  });
}

/** The error of a tensor that a reference case does not have in this shape. */
export function otherShape(
  caseName: string,
  tensor: string,
  shape: readonly number[],
  listed: readonly number[] | undefined,
): UserError {
  const found = listed === undefined ? "has no such tensor" : `[${listed.join(", ")}]`;
  return new UserError(
    `${caseName}: the network has ${tensor} [${shape.join(", ")}], the reference ${found}`,
  );
}

/** values: [T, C]; statistics that are the same at every timestep. */
function repeatFirstRow(values: Float32Array, [timesteps = 1, channels = 0]: readonly number[]): void {
  for (let t = 1; t < timesteps; t++) values.copyWithin(t * channels, 0, channels);
}

/** Values of a tensor in the public layout, remade from the recipe. */
export function recipeValues({ role }: TensorSpec, shape: readonly number[], seed: number): Float32Array {
  const size = shape.reduce((a, b) => a * b, 1);
  const u = recipeUniform(seed, size);
  const [out = 1, , height = 1, width = 1] = shape;
  const spread = Math.sqrt(3) * Math.sqrt(2 / (out * height * width));
  switch (role) {
    case "filter":
      return Float32Array.from(u, (x) => x * spread);
    case "scale":
      return Float32Array.from(u, (x) => 1 + 0.2 * x);
    case "variance":
      return Float32Array.from(u, (x) => 1 + 0.3 * x);
    case "linear":
    case "bias":
    case "offset":
    case "mean":
      return Float32Array.from(u, (x) => 0.1 * x);
    case "mixing":
      return Float32Array.from(u, (x) => 0.5 + 0.3 * x);
  }
}

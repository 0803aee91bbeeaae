import type { AnytimeNetwork } from "../../models/anytime-network.js";
import { type NetworkState, stateFrom } from "../../models/state.js";
import { isStatistic, type TensorSpec } from "../../models/tensor-spec.js";
import type { Sequence } from "../../nn/pass.js";
import { tf } from "../../nn/tensorflow.js";
import { constantTimeline } from "../../nn/timeline.js";
import { UserError } from "../../util/errors.js";
import { recipeUniform } from "../../util/recipe.js";
import { authorsShape, fromAuthorsLayout } from "./authors-layout.js";

/** Images remade from the recipe: [B, 3, S, S] in the authors' layout, at all timesteps [B, S, S, 3] here. */
export function recipeImages(batch: number, size: number, timesteps: number): Sequence {
  const values = Float32Array.from(recipeUniform(1000, batch * 3 * size * size));
  return {
    values: tf.transpose(tf.tensor4d(values, [batch, 3, size, size]), [0, 2, 3, 1]),
    timeline: constantTimeline(timesteps, batch),
  };
}

/** The tensors that a reference was computed from, as it names them, in the authors' layout. */
export interface RecipeTensors {
  readonly caseName: string;
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** What the reference calls a tensor; its own name unless told. */
  readonly nameOf?: (tensor: TensorSpec) => string;
  /** Whether running statistics are the same at every timestep. */
  readonly constantStatistics?: boolean;
}

/**
 * Every weight and statistic of a case, remade from the recipe: the names in the order of their code points are
 * seeded from 1. A UserError names a tensor that the reference does not have in this shape.
 */
export function recipeState(
  network: AnytimeNetwork,
  { caseName, tensors, nameOf = ({ name }) => name, constantStatistics = false }: RecipeTensors,
): NetworkState {
  const ordered = [...tensors].sort((a, b) => (a.name < b.name ? -1 : 1));
  const seeds = new Map(ordered.map(({ name }, i) => [name, i + 1]));
  return stateFrom(network, (tensor) => {
    const seed = seeds.get(nameOf(tensor)) ?? 0;
    const shape = authorsShape(tensor);
    const listed = ordered[seed - 1]?.shape;
    if (listed === undefined || !sameShape(listed, shape)) {
      const found = listed === undefined ? "has no such tensor" : `[${listed.join(", ")}]`;
      throw new UserError(
        `${caseName}: the network has ${tensor.name} [${shape.join(", ")}], the reference ${found}`,
      );
    }
    const values = recipeValues(tensor, shape, seed);
    if (constantStatistics && isStatistic(tensor)) repeatFirstRow(values, shape);
    return fromAuthorsLayout(tensor, values);
  });
}

/** Whether shapes are the same but for axes of one value: a network without time has statistics [C], or [1, C] here. */
function sameShape(a: readonly number[], b: readonly number[]): boolean {
  const [left, right] = [a, b].map((shape) => shape.filter((extent) => extent !== 1).join());
  return left === right;
}

/** values: [T, C]; statistics that are the same at every timestep. */
function repeatFirstRow(values: Float32Array, [timesteps = 1, channels = 0]: readonly number[]): void {
  for (let t = 1; t < timesteps; t++) values.copyWithin(t * channels, 0, channels);
}

/** Values of a tensor in the authors' layout, remade from the recipe. */
function recipeValues({ role }: TensorSpec, shape: readonly number[], seed: number): Float32Array {
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

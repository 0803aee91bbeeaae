import type { Pass } from "../../lib/nn/pass.js";
import { type Tensor, tf } from "../../lib/nn/tensorflow.js";
import { recipeUniform } from "../../lib/util/recipe.js";

export type TrainingPass = Extract<Pass, { kind: "training" }>;

/** A tensor of recipe values in [-1, 1), as float32, and the values. */
export function recipeTensor(
  seed: number,
  shape: readonly number[],
): { tensor: Tensor; values: Float32Array } {
  const values = Float32Array.from(
    recipeUniform(
      seed,
      shape.reduce((a, b) => a * b, 1),
    ),
  );
  return { tensor: tf.tensor(values, [...shape]), values };
}

/** A training pass over `batch` images with these tensors. */
export function trainingPass(
  batch: number,
  parameters: Readonly<Record<string, Tensor>>,
  statistics: Readonly<Record<string, Tensor>> = {},
  norm: TrainingPass["norm"] = { epsilon: 0.1, momentum: 0.25, temporalAffine: false },
): TrainingPass {
  return {
    kind: "training",
    precision: "float32",
    parameters: new Map(Object.entries(parameters)),
    statistics: new Map(Object.entries(statistics)),
    norm,
    batch,
    newStatistics: new Map(),
    gradients: new Map(),
  };
}

import { type AnytimeNetwork, tensorSpecs } from "../models/anytime-network.js";
import { stateFrom, stateValues } from "../models/state.js";
import { isStatistic } from "../models/tensor-spec.js";
import { type Tensor, tf } from "../nn/tensorflow.js";
import { UserError } from "../util/errors.js";
import type { StoredTensor } from "../util/safetensors.js";
import type { TrainingState } from "./training-step.js";

/** Begins the names of the velocities among stored tensors. */
export const VELOCITY = "velocity/";

/** Weights and running statistics as stored tensors: filters [k, k, in, out], linear [in, out]. */
export function storedModel(
  state: Pick<TrainingState, "parameters" | "statistics">,
): Map<string, StoredTensor> {
  return new Map(
    [...stateValues(state)].map(([name, { shape, values }]) => [name, { dtype: "F32", shape, data: values }]),
  );
}

/** Everything that a training goes on from: weights, statistics and velocities. */
export function storedTrainingState(state: TrainingState): Map<string, StoredTensor> {
  const stored = storedModel(state);
  for (const [name, tensor] of state.velocities) {
    stored.set(VELOCITY + name, { dtype: "F32", shape: tensor.shape, data: tensor.dataSync<"float32">() });
  }
  return stored;
}

/** The opposite of `storedTrainingState`; a UserError names what is missing or of another shape. */
export function restoredTrainingState(
  network: AnytimeNetwork,
  stored: ReadonlyMap<string, StoredTensor>,
  where: string,
): TrainingState {
  const velocities = new Map<string, Tensor>();
  for (const spec of tensorSpecs(network)) {
    if (isStatistic(spec) || !stored.has(VELOCITY + spec.name)) continue;
    const values = storedValues(stored, VELOCITY + spec.name, spec.shape, where);
    velocities.set(spec.name, tf.tensor(values, [...spec.shape]));
  }
  const state = stateFrom(network, (spec) => storedValues(stored, spec.name, spec.shape, where));
  return { ...state, velocities };
}

/** One float32 tensor of the expected shape, or a UserError. */
export function storedValues(
  stored: ReadonlyMap<string, StoredTensor>,
  name: string,
  shape: readonly number[],
  where: string,
): Float32Array {
  const tensor = stored.get(name);
  if (tensor === undefined)
    throw new UserError(`${where} has no tensor "${name}"; it belongs to another network`);
  if (tensor.dtype !== "F32" || tensor.shape.join() !== shape.join()) {
    throw new UserError(
      `${where}: "${name}" is ${tensor.dtype} [${tensor.shape.join(", ")}], expected F32 [${shape.join(", ")}]; it belongs to another network`,
    );
  }
  return Float32Array.from(tensor.data);
}

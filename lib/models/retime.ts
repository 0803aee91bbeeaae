import type { AnytimeNetwork } from "./anytime-network.js";
import { isStatistic, type TensorSpec } from "./tensor-spec.js";
import { type NamedValues, stateFrom, type NetworkState } from "./state.js";
import { named } from "../nn/pass.js";

/**
 * Trained numbers as the state of a network with other timesteps: a row that the training did not have is its last
 * row again (running statistics beyond the last timestep are the last's; an ordinary network has a single row for
 * all). The same holds for scale and offset where they are given for each timestep.
 */
export function retimedState(
  network: AnytimeNetwork,
  values: ReadonlyMap<string, NamedValues>,
): NetworkState {
  return stateFrom(network, (tensor) => {
    const { shape, values: trained } = named(values, tensor.name);
    return isTimed(network, tensor) ? withRows(trained, shape, tensor.shape) : trained;
  });
}

function isTimed(network: AnytimeNetwork, tensor: TensorSpec): boolean {
  const affine = tensor.role === "scale" || tensor.role === "offset";
  return isStatistic(tensor) || (network.spec.norm.temporalAffine && affine);
}

/** The first rows of a [T, C] table, its last row repeated where more are asked for. */
function withRows(
  table: Float32Array,
  [given = 1]: readonly number[],
  [wanted = 1, channels = 1]: readonly number[],
) {
  const rows = new Float32Array(wanted * channels);
  for (let t = 0; t < wanted; t++) {
    const source = Math.min(t, given - 1) * channels;
    rows.set(table.subarray(source, source + channels), t * channels);
  }
  return rows;
}

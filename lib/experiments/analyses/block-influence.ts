import { table, type ColumnTable } from "arquero";
import { forward } from "../../models/anytime-network.js";
import type { CascadedResNet } from "../../models/cascaded-resnet.js";
import { disposeEvaluationPass, evaluationPass, type NetworkState } from "../../models/state.js";
import { named, type NamedTensors } from "../../nn/pass.js";
import type { DelayedLayer } from "../../nn/cascade-layer.js";
import { chainNorms } from "../../nn/chain.js";
import { scoped, type Tensor4D, tf } from "../../nn/tensorflow.js";
import { constantTimeline } from "../../nn/timeline.js";

/**
 * When each block is felt at the output: how much the logits change at each timestep if the block's residual is
 * removed,
 *
 *     change[i, t] = |logits[t] - logits without block i [t]| / |logits[t]|      (Euclidean, over the batch)
 *
 * images: [B, H, W, 3], normalised -> a row a block and timestep: scheme, block (from 1), timestep, change.
 */
export function blockInfluence(
  network: CascadedResNet,
  state: NetworkState,
  images: Tensor4D,
  scheme: string = network.spec.scheme.kind,
): ColumnTable {
  const whole = logitsOf(network, state, images);
  const step = whole.length / network.timesteps;
  const rows = network.layers.flatMap((block) => {
    const without = scoped(() =>
      logitsOf(network, { ...state, parameters: withoutResidual(state.parameters, block) }, images),
    );
    return Array.from({ length: network.timesteps }, (_, t) => {
      const at = whole.subarray(t * step, (t + 1) * step);
      const change = at.map((value, i) => value - (without[t * step + i] as number));
      return { block: block.position, timestep: t, change: norm(change) / norm(at) };
    });
  });
  return table({
    scheme: rows.map(() => scheme),
    block: rows.map((row) => row.block),
    timestep: rows.map((row) => row.timestep),
    change: rows.map((row) => row.change),
  });
}

function logitsOf(network: CascadedResNet, state: NetworkState, images: Tensor4D): Float32Array {
  const pass = evaluationPass(network, state);
  const timeline = constantTimeline(network.timesteps, images.shape[0]);
  const { y } = forward(network, pass, { values: images, timeline }, images.shape[0]);
  disposeEvaluationPass(pass);
  return y.values;
}

/** The parameters with nothing left of the block's residual: its last batch norm gives zero. */
function withoutResidual(parameters: NamedTensors, block: DelayedLayer): NamedTensors {
  const last = chainNorms(block.branch).at(-1);
  const silenced = [`${last}.scale`, `${last}.offset`].map(
    (name) => [name, tf.zerosLike(named(parameters, name))] as const,
  );
  return new Map([...parameters, ...silenced]);
}

function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

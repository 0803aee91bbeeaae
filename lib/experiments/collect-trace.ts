import { epochBatches } from "../datasets/batches.js";
import { type ImageSet } from "../datasets/dataset.js";
import type { ChannelStatistics } from "../datasets/statistics.js";
import { type CascadedNetwork, forward } from "../models/cascaded-network.js";
import { networkCost } from "../models/cost.js";
import {
  disposeEvaluationPass,
  type EvaluationPass,
  evaluationPass,
  type NetworkState,
} from "../models/state.js";
import { scoped, tf } from "../nn/tensorflow.js";
import { constantTimeline } from "../nn/timeline.js";
import type { Trace } from "../trace/trace.js";

export interface CollectOptions {
  readonly normalisation: ChannelStatistics;
  readonly batchSize?: number;
  readonly model?: string;
  readonly run?: string;
  readonly onProgress?: (done: number) => void;
}

/** Runs a network over a set of images: logits [T, N, K] with labels, ids and cost. */
export function collectTrace(
  network: CascadedNetwork,
  state: NetworkState,
  set: ImageSet,
  { normalisation, batchSize = 256, model, run, onProgress }: CollectOptions,
): Trace {
  const { timesteps, spec } = network;
  const examples = set.labels.length;
  const logits = new Float32Array(timesteps * examples * spec.classes);
  const pass = evaluationPass(network, state);
  const options = { batchSize, normalisation, shuffle: false, seed: 0, epoch: 0, dropLast: false };
  let done = 0;
  for (const batch of epochBatches(set, options)) {
    const count = batch.labels.length;
    const values = evaluateBatch(network, pass, batch.images, count, set.size);
    const row = count * spec.classes;
    for (let t = 0; t < timesteps; t++) {
      logits.set(values.subarray(t * row, (t + 1) * row), (t * examples + done) * spec.classes);
    }
    done += count;
    onProgress?.(done);
  }
  disposeEvaluationPass(pass);
  return {
    timesteps,
    examples,
    classes: spec.classes,
    logits,
    labels: set.labels,
    ids: set.ids,
    cost: { multiplyAdds: networkCost(network, set.size.height).distinct },
    ...(model === undefined ? {} : { model }),
    ...(run === undefined ? {} : { run }),
  };
}

/** images: [B, H, W, 3] normalised -> logits [T, B, K]. */
function evaluateBatch(
  network: CascadedNetwork,
  pass: EvaluationPass,
  images: Float32Array,
  count: number,
  { height, width }: ImageSet["size"],
): Float32Array {
  return scoped(() => {
    const values = tf.tensor4d(images, [count, height, width, 3]);
    return forward(network, pass, { values, timeline: constantTimeline(network.timesteps, count) }, count).y
      .values;
  });
}

import { type Batch, epochBatches } from "../../datasets/batches.js";
import type { ImageSet } from "../../datasets/dataset.js";
import { valuesPerImage } from "../../util/image-size.js";
import type { ChannelStatistics } from "../../datasets/statistics.js";
import { type AnytimeNetwork, forward } from "../../models/anytime-network.js";
import { networkCost } from "../../models/cost.js";
import { disposeEvaluationPass, evaluationPass, type NetworkState } from "../../models/state.js";
import type { EvaluationPass } from "../../nn/pass.js";
import { scoped, tf } from "../../nn/tensorflow.js";
import { distinctSteps, type Timeline } from "../../nn/timeline.js";
import { CLEAN, type Disturbance, disturbed, scheduledDraws } from "../../noise/schedule.js";
import type { Trace } from "../../trace/trace.js";
import { signHeldLocks } from "../../util/folder-lock.js";

export interface CollectOptions {
  readonly normalisation: ChannelStatistics;
  /** Rows of the network's batch: images, times the frames that each of them has over time. */
  readonly batchSize?: number;
  /** What disturbs the images; they are clean unless told. */
  readonly disturbance?: Disturbance | undefined;
  readonly model?: string;
  readonly run?: string;
  readonly onProgress?: (done: number) => void;
}

/**
 * Runs a network over a set of images: logits [T, N, K] with labels, ids and cost.
 *
 * Where a disturbance changes the image over time, the frame of timestep t enters the stem at t. A cascade integrates
 * over frames: block i still works on what block i - 1 made of an earlier one, so that frames of several timesteps
 * meet in its answer. So does a serial model as published, whose residuals are delayed too: the answer at t depends on
 * frames 0 to t - 1, in either. Without that delay (`serialScheme` "undelayed") a serial model starts again with every
 * frame: its answer at t is that of its first t blocks, all evaluated on frame t - 1. (A serial machine that never looks
 * again answers at all timesteps for the first frame alone; that is the persistent schedule.)
 */
export function collectTrace(
  network: AnytimeNetwork,
  state: NetworkState,
  set: ImageSet,
  { normalisation, batchSize = 256, disturbance, model, run, onProgress }: CollectOptions,
): Trace {
  const { timesteps, spec } = network;
  const examples = set.labels.length;
  const draws =
    disturbance === undefined
      ? Array<number>(timesteps).fill(CLEAN)
      : scheduledDraws(disturbance.schedule, timesteps);
  const { step, firstTimestep } = distinctSteps(draws.map(String));
  const shown = firstTimestep.map((t) => draws[t] ?? CLEAN);
  const logits = new Float32Array(timesteps * examples * spec.classes);
  const pass = evaluationPass(network, state);
  const perBatch = Math.ceil(batchSize / shown.length);
  const options = { batchSize: perBatch, normalisation, shuffle: false, seed: 0, epoch: 0, dropLast: false };
  let done = 0;
  for (const batch of epochBatches(set, options)) {
    const count = batch.labels.length;
    const frames = disturbance === undefined ? batch.images : disturbedBatch(set, batch, disturbance, shown);
    const timeline = { step, rows: shown.map(() => count) };
    const values = evaluateBatch(network, pass, frames, timeline, count, set.size);
    const row = count * spec.classes;
    for (let t = 0; t < timesteps; t++) {
      logits.set(values.subarray(t * row, (t + 1) * row), (t * examples + done) * spec.classes);
    }
    done += count;
    signHeldLocks();
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
    cost: { multiplyAdds: networkCost(network, set.size.height, draws).distinct },
    ...(model === undefined ? {} : { model }),
    ...(run === undefined ? {} : { run }),
  };
}

/** The batch's images [B, H, W, 3] under each of D draws -> frames [D, B, H, W, 3]. */
function disturbedBatch(
  { size, ids }: ImageSet,
  { images, indices }: Batch,
  disturbance: Disturbance,
  draws: readonly number[],
): Float32Array {
  const values = valuesPerImage(size);
  const frames = new Float32Array(draws.length * images.length);
  for (const [d, t] of draws.entries()) {
    for (const [b, index] of indices.entries()) {
      const image = images.subarray(b * values, (b + 1) * values);
      const id = ids[index] as number;
      frames.set(disturbed(disturbance, image, size, { id, t }), d * images.length + b * values);
    }
  }
  return frames;
}

/** frames: [D, B, H, W, 3] normalised, on their timeline -> logits [T, B, K]. */
function evaluateBatch(
  network: AnytimeNetwork,
  pass: EvaluationPass,
  frames: Float32Array,
  timeline: Timeline,
  count: number,
  { height, width }: ImageSet["size"],
): Float32Array {
  return scoped(() => {
    const values = tf.tensor4d(frames, [timeline.rows.length * count, height, width, 3]);
    return forward(network, pass, { values, timeline }, count).y.values;
  });
}

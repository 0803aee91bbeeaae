import { cascadedDenseNet, type CascadedDenseNetSpec } from "../../lib/models/cascaded-densenet.js";
import { type CascadedNetwork } from "../../lib/models/cascaded-network.js";
import { forward, tensorSpecs } from "../../lib/models/anytime-network.js";
import { cascadedResNet, type CascadedResNetSpec } from "../../lib/models/cascaded-resnet.js";
import { isStatistic, type TensorSpec } from "../../lib/models/tensor-spec.js";
import {
  disposeEvaluationPass,
  disposeState,
  evaluationPass,
  type NetworkState,
  stateFrom,
  stateValues,
} from "../../lib/models/state.js";
import { outputIsBlindAtStart } from "../../lib/nn/delay.js";
import type { Sequence } from "../../lib/nn/pass.js";
import { type Tensor, tf } from "../../lib/nn/tensorflow.js";
import { firstRows, type Timeline } from "../../lib/nn/timeline.js";
import { batchGradients } from "../../lib/train/training-step.js";
import { type RandomStream, randomStream } from "../../lib/util/random.js";
import { crossEntropies, lambdaReturn } from "../losses/lambda-return.js";
import type { Maps, Tensors64 } from "../nn/float64-operations.js";
import { type OracleRun, runTimeMajor } from "../nn/time-major-oracle.js";

/** A small network with random weights, held to the time-major oracle. */
export interface OracleCase {
  readonly name: string;
  readonly spec: CascadedResNetSpec | CascadedDenseNetSpec;
  readonly side: number;
  readonly batch: number;
  readonly timeline: Timeline;
  readonly statistics: "equal" | "distinct";
  readonly lambda: number;
}

/** Largest relative difference of each quantity. */
export interface OracleErrors {
  readonly evaluationLogits: number;
  readonly trainingLogits: number;
  readonly statistics: number;
  readonly loss: number;
  /** Of a directional derivative. */
  readonly gradients: number;
}

/** Weights, images and labels of a case. */
export interface Setting {
  readonly network: CascadedNetwork;
  readonly state: NetworkState;
  readonly images: Sequence;
  readonly labels: readonly number[];
  readonly tensors: Tensors64;
  readonly frames: readonly Maps[];
  /** What the oracle says of a training pass. */
  readonly training: OracleRun;
}

/** Draws a case afresh until no ReLU stands so near its kink that float32 might take its other side. */
export function settingOf(given: OracleCase): Setting {
  for (let seed = 1; ; seed++) {
    const setting = draw(given, seed);
    if (setting.training.margin > 3e-6 || seed === 20) return setting;
    disposeSetting(setting);
  }
}

export function disposeSetting(setting: Setting): void {
  disposeState(setting.state);
  setting.images.values.dispose();
}

function draw(given: OracleCase, seed: number): Setting {
  const network = "growth" in given.spec ? cascadedDenseNet(given.spec) : cascadedResNet(given.spec);
  const stream = randomStream(seed, given.name);
  const state = stateFrom(network, (tensor) => randomTensor(tensor, network.timesteps, stream, given));
  const rows = given.timeline.rows.reduce((sum, own) => sum + own, 0);
  const pixels = Float32Array.from({ length: rows * given.side ** 2 * 3 }, () => stream.normal());
  const values = tf.tensor4d(pixels, [rows, given.side, given.side, 3]);
  const tensors = new Map(
    [...stateValues(state)].map(([name, { shape, values: numbers }]) => [
      name,
      { shape, values: Float64Array.from(numbers) },
    ]),
  );
  const frames = framesOf(pixels, given);
  return {
    network,
    state,
    images: { values, timeline: given.timeline },
    labels: Array.from({ length: given.batch }, (_, b) => (3 * b + seed) % given.spec.classes),
    tensors,
    frames,
    training: runTimeMajor(given.spec, tensors, frames, "training"),
  };
}

function randomTensor(
  tensor: TensorSpec,
  timesteps: number,
  stream: RandomStream,
  { statistics }: OracleCase,
): Float32Array {
  const { shape, role } = tensor;
  const [size = 1, , , outputs = 1] = shape;
  const one = (): number => {
    const u = 2 * stream.uniform() - 1;
    switch (role) {
      case "filter":
        return stream.normal() * Math.sqrt(2 / (size * size * outputs));
      case "scale":
        return 1 + 0.3 * u;
      case "variance":
        return 1 + 0.5 * u;
      case "linear":
        return u;
      case "bias":
      case "offset":
      case "mean":
        return 0.3 * u;
      case "mixing":
        return 0.5 + 0.3 * u;
    }
  };
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, one);
  if (isStatistic(tensor) && statistics === "equal") {
    const channels = values.length / timesteps;
    for (let t = 1; t < timesteps; t++) values.copyWithin(t * channels, 0, channels);
  }
  return values;
}

/** The image batch of each timestep; a step of one row is shown to every image. */
function framesOf(pixels: Float32Array, { timeline, side, batch }: OracleCase): Maps[] {
  const first = firstRows(timeline.rows);
  const size = side * side * 3;
  return timeline.step.map((d) => {
    const values = new Float64Array(batch * size);
    for (let b = 0; b < batch; b++) {
      const row = (first[d] ?? NaN) + (timeline.rows[d] === 1 ? 0 : b);
      values.set(pixels.subarray(row * size, (row + 1) * size), b * size);
    }
    return { batch, height: side, width: side, channels: 3, values };
  });
}

/** Compares everything that a case can be compared in. */
export function oracleErrors(given: OracleCase): OracleErrors {
  const setting = settingOf(given);
  const { network, state, images, labels, tensors, frames, training } = setting;
  const pass = evaluationPass(network, state);
  const evaluated = forward(network, pass, images, given.batch).y.values;
  disposeEvaluationPass(pass);
  const firstTimestep = outputIsBlindAtStart(network.stemDelay) ? 1 : 0;
  const settings = { lambda: given.lambda, firstTimestep };
  const trained = batchGradients(network, state, images, labels, settings);
  const timesteps = network.timesteps;
  const targets = lambdaReturn(training.logits, labels, timesteps, given.lambda);
  const lossOf = ({ logits }: OracleRun): number =>
    crossEntropies(logits, targets, timesteps, given.batch)
      .slice(firstTimestep)
      .reduce((a, b) => a + b, 0);
  const lossAt = (moved: Tensors64): number => lossOf(runTimeMajor(given.spec, moved, frames, "training"));
  const newStatistics = [...training.statistics].map(([name, { values }]) =>
    relativeError(valuesOf(trained.statistics, name), values),
  );
  const errors = {
    evaluationLogits: relativeError(
      evaluated,
      runTimeMajor(given.spec, tensors, frames, "evaluation").logits,
    ),
    trainingLogits: relativeError(trained.logits.values, training.logits),
    statistics: Math.max(...newStatistics),
    loss: relativeError([trained.loss.loss], [lossOf(training)]),
    gradients: gradientError(network, tensors, trained.gradients, lossAt),
  };
  tf.dispose([...trained.gradients.values(), ...trained.statistics.values()]);
  disposeSetting(setting);
  return errors;
}

/** max |a - b| / max |b|. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  let difference = 0;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const gap = Math.abs((actual[i] as number) - (expected[i] as number));
    difference = Math.max(difference, Number.isNaN(gap) ? Infinity : gap);
    largest = Math.max(largest, Math.abs(expected[i] as number));
  }
  return difference === 0 ? 0 : difference / largest;
}

function valuesOf(tensors: ReadonlyMap<string, Tensor>, name: string): Float32Array {
  return tensors.get(name)?.dataSync<"float32">() ?? new Float32Array();
}

/**
 * Central differences (loss(w + h v) - loss(w - h v)) / 2h against <gradient, v>. The random direction v gives each
 * group of like tensors (all filters of a stage, all its scales, the heads' weights, ...) an equal share in the
 * derivative, so that none hides behind a larger one.
 */
function gradientError(
  network: CascadedNetwork,
  tensors: Tensors64,
  gradients: ReadonlyMap<string, Tensor>,
  lossAt: (moved: Tensors64) => number,
): number {
  const groups = new Map<string, TensorSpec[]>();
  for (const tensor of tensorSpecs(network).filter((spec) => !isStatistic(spec))) {
    const place = /^(stem|stages\.\d|head)/.exec(tensor.name)?.[0] ?? "";
    const group = `${place}/${tensor.role}`;
    groups.set(group, [...(groups.get(group) ?? []), tensor]);
  }
  const gradientOf = new Map([...gradients].map(([name, tensor]) => [name, tensor.dataSync<"float32">()]));
  const norms = [...groups.values()].map((members) =>
    Math.hypot(...members.flatMap(({ name }) => [...(gradientOf.get(name) ?? [])])),
  );
  const least = 1e-3 * Math.max(...norms);
  const direction = new Map<string, Float64Array>();
  let actual = 0;
  for (const [index, members] of [...groups.values()].entries()) {
    const share = 1 / Math.max(norms[index] ?? 0, least);
    for (const { name, shape } of members) {
      const stream = randomStream(1, name);
      const size = shape.reduce((a, b) => a * b, 1);
      const v = Float64Array.from({ length: size }, () => share * stream.normal());
      direction.set(name, v);
      for (const [i, g] of gradientOf.get(name)?.entries() ?? []) actual += g * (v[i] as number);
    }
  }
  const h = 1e-6 / Math.max(...[...direction.values()].map(largestSize));
  const moved = (by: number): Tensors64 =>
    new Map(
      [...tensors].map(([name, { shape, values }]) => {
        const v = direction.get(name);
        return [name, { shape, values: values.map((value, i) => value + by * (v?.[i] ?? 0)) }];
      }),
    );
  const expected = (lossAt(moved(h)) - lossAt(moved(-h))) / (2 * h);
  return Math.abs(actual - expected) / Math.sqrt(groups.size);
}

function largestSize(values: Float64Array): number {
  return values.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
}

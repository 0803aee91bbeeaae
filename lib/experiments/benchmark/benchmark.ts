import { epochBatches } from "../../datasets/batches.js";
import { proceduralSplit } from "../../datasets/procedural.js";
import { channelStatistics } from "../../datasets/statistics.js";
import { forward } from "../../models/anytime-network.js";
import { cascadedDenseNet, type CascadedDenseNetSpec } from "../../models/cascaded-densenet.js";
import type { CascadedNetwork, CascadeSpec } from "../../models/cascaded-network.js";
import { cascadedResNet } from "../../models/cascaded-resnet.js";
import { networkCost } from "../../models/cost.js";
import { disposeEvaluationPass, evaluationPass, initialState } from "../../models/state.js";
import { stream } from "../../models/stream.js";
import { type Delay, outputIsBlindAtStart } from "../../nn/delay.js";
import type { Precision } from "../../nn/backend/kernels.js";
import { scoped, type Tensor4D, tf } from "../../nn/tensorflow.js";
import { constantTimeline } from "../../nn/timeline.js";
import { disposeTrainingState, trainingStep, type TrainingState } from "../../train/training-step.js";
import { quantile } from "../../util/statistics.js";
import { randomStream } from "../../util/random.js";

/** What is timed: one network at one batch size. */
export interface BenchmarkCase {
  readonly name: string;
  readonly depth: 18 | 34 | 50;
  readonly width: number;
  /** A DenseNet of this size in the place of the ResNet. */
  readonly dense?: Pick<CascadedDenseNetSpec, "growth" | "layers">;
  readonly timesteps: number;
  readonly delay: Delay;
  readonly scheme: "parallel" | "serial";
  readonly batch: number;
  readonly precision: Precision;
}

/** Images of a case that is trained on as well. */
export const COMPARED_BATCH = 128;

export const FULL: BenchmarkCase = {
  name: "full",
  depth: 18,
  width: 1,
  timesteps: 9,
  delay: { kind: "oneStepDelay" },
  scheme: "parallel",
  batch: COMPARED_BATCH,
  precision: "float32",
};
export const QUARTER: BenchmarkCase = { ...FULL, name: "quarter", width: 0.25 };

const SMOOTHING: Delay = { kind: "exponentialSmoothing", alpha: 0.9 };

/** What else a case may be; under smoothing no timestep equals another, so 70 are for the quarter width alone. */
const CHANGES: readonly (readonly [name: string, change: Partial<BenchmarkCase>])[] = [
  ["", {}],
  [", T = 70", { timesteps: 70 }],
  [", smoothing 0.9", { delay: SMOOTHING }],
  [", serial", { scheme: "serial" }],
];
const ONLY_QUARTER: typeof CHANGES = [[", smoothing 0.9, T = 70", { delay: SMOOTHING, timesteps: 70 }]];

const casesOf = (size: BenchmarkCase, changes: typeof CHANGES): BenchmarkCase[] =>
  changes.flatMap(([name, change]) => {
    const spec = { ...size, ...change, name: size.name + name };
    return [spec, { ...spec, name: `${spec.name}, mixed`, precision: "mixed" }];
  });

const FULL_CASES = casesOf(FULL, CHANGES);

/** Ten dense layers, as in the reduced protocol; DenseNets compute in float32 alone. */
const DENSE: BenchmarkCase = {
  ...FULL,
  name: "densenet",
  dense: { growth: 8, layers: [2, 3, 3, 2] },
  timesteps: 11,
};

export const BENCHMARK_CASES: readonly BenchmarkCase[] = [
  ...FULL_CASES,
  ...casesOf(QUARTER, [...CHANGES, ...ONLY_QUARTER]),
  DENSE,
  { ...DENSE, name: "densenet, serial", scheme: "serial" },
];

/** The case whose numbers a peer is compared with, in float32 and in mixed precision. */
export const COMPARED_CASES: readonly BenchmarkCase[] = FULL_CASES.slice(0, 2);

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: quantile(values, 0.5), min: Math.min(...values), max: Math.max(...values) };
}

/** One thing that was timed. */
export interface Measurement {
  readonly case: string;
  readonly what: "training step" | "evaluation";
  readonly milliseconds: Spread;
  readonly imagesPerSecond: number;
  /** Distinct multiply-adds done a second (three times the forward pass in training). */
  readonly multiplyAddsPerSecond: number;
  /** Share of the multiply-adds a second that a large matrix multiplication reached in the same run. */
  readonly shareOfPeak: number;
}

/** The network of a case; a serial one is as published. */
export function benchmarkNetwork(spec: BenchmarkCase): CascadedNetwork {
  const { depth, width, dense, timesteps, delay, scheme } = spec;
  const shared: CascadeSpec = {
    classes: 10,
    stem: "cifar",
    scheme: scheme === "serial" ? { kind: scheme, delay, asPublished: true } : { kind: scheme, delay },
    heads: "single",
    norm: { epsilon: 1e-5, momentum: 0.1, temporalAffine: false },
    timesteps,
  };
  return dense === undefined
    ? cascadedResNet({ ...shared, depth, width })
    : cascadedDenseNet({ ...shared, ...dense });
}

/** Random images [B, 32, 32, 3]. */
export function benchmarkImages(batch: number): Tensor4D {
  const random = randomStream(0, "benchmark/images");
  const pixels = Float32Array.from({ length: batch * 32 * 32 * 3 }, () => random.normal());
  return tf.tensor4d(pixels, [batch, 32, 32, 3]);
}

/** A network with its data, ready to be timed again and again. */
export class TimedNetwork {
  readonly network: CascadedNetwork;
  #state: TrainingState;
  readonly #images: Tensor4D;
  readonly #labels: Int32Array;

  constructor(readonly spec: BenchmarkCase) {
    this.network = benchmarkNetwork(spec);
    this.#state = { ...initialState(this.network, 0), velocities: new Map() };
    this.#images = benchmarkImages(spec.batch);
    this.#labels = Int32Array.from({ length: spec.batch }, (_, b) => b % 10);
  }

  get #sequence() {
    return { values: this.#images, timeline: constantTimeline(this.network.timesteps, this.spec.batch) };
  }

  /** Milliseconds of one training step. */
  train(): number {
    const begun = performance.now();
    const loss = { lambda: 0, firstTimestep: outputIsBlindAtStart(this.spec.delay) ? 1 : 0 };
    const sgd = { learningRate: 0.01, momentum: 0.9, weightDecay: 5e-4 };
    const { precision } = this.spec;
    const step = trainingStep(this.network, this.#state, this.#sequence, this.#labels, loss, sgd, precision);
    this.#state = step.state;
    return performance.now() - begun;
  }

  /** Milliseconds of evaluating all timesteps of a batch. */
  evaluate(): number {
    const pass = evaluationPass(this.network, this.#state, this.spec.precision);
    const begun = performance.now();
    scoped(() => forward(this.network, pass, this.#sequence, this.spec.batch));
    const elapsed = performance.now() - begun;
    disposeEvaluationPass(pass);
    return elapsed;
  }

  /** [T] milliseconds from the start to each timestep's answer, for one image; the network was opened before. */
  stream(): number[] {
    const pass = evaluationPass(this.network, this.#state);
    const image = tf.slice(this.#images, [0, 0, 0, 0], [1, 32, 32, 3]);
    stream(this.network, pass, image).next();
    const begun = performance.now();
    const times: number[] = [];
    for (const step of stream(this.network, pass, image)) times[step.timestep] = performance.now() - begun;
    image.dispose();
    disposeEvaluationPass(pass);
    return times;
  }

  /** Multiply-adds of one image's distinct steps. */
  get multiplyAdds(): number {
    return networkCost(this.network, 32).distinct.at(-1) ?? 0;
  }

  dispose(): void {
    disposeTrainingState(this.#state);
    this.#images.dispose();
  }
}

/** Multiply-adds a second of a 2048 x 2048 x 2048 matrix multiplication: the best of a few. */
export function matrixMultiplicationPeak(): number {
  const side = 2048;
  return scoped(() => {
    const a = tf.randomUniform([side, side]);
    const times = Array.from({ length: 6 }, () => {
      const begun = performance.now();
      tf.matMul(a, a).dispose();
      return performance.now() - begun;
    });
    return (1000 * side ** 3) / Math.min(...times);
  });
}

/** Milliseconds of preparing one augmented batch of 128 32 x 32 images. */
export function batchMilliseconds(): Spread {
  const set = proceduralSplit(
    { kind: "procedural", classes: 10, size: 32, train: 2048, test: 1, seed: 0 },
    "train",
  );
  const normalisation = channelStatistics(set.images);
  const augmentation = { crop: 4, flip: true, occlusion: 16 };
  const options = {
    batchSize: 128,
    normalisation,
    augmentation,
    shuffle: true,
    seed: 0,
    epoch: 0,
    dropLast: true,
  };
  const times: number[] = [];
  let asked = performance.now();
  for (const batch of epochBatches(set, options)) {
    if (batch.labels.length > 0) times.push(performance.now() - asked);
    asked = performance.now();
  }
  return spreadOf(times);
}

export function measurementOf(
  timed: TimedNetwork,
  what: Measurement["what"],
  times: readonly number[],
  peak: number,
): Measurement {
  const milliseconds = spreadOf(times);
  const { batch, name } = timed.spec;
  const passes = what === "training step" ? 3 : 1;
  const multiplyAddsPerSecond = (1000 * passes * batch * timed.multiplyAdds) / milliseconds.median;
  return {
    case: name,
    what,
    milliseconds,
    imagesPerSecond: (1000 * batch) / milliseconds.median,
    multiplyAddsPerSecond,
    shareOfPeak: multiplyAddsPerSecond / peak,
  };
}

/** Largest resident memory of this process so far, in bytes. */
export function peakMemory(): number {
  return process.resourceUsage().maxRSS * 1024;
}

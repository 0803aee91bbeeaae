import type { MergePlan } from "../delay.js";
import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from "../tensorflow.js";
import type { Timeline } from "../timeline.js";

/**
 * What a pass computes in: "float32" as fast as may be; "mixed" with activations and their gradients stored as bfloat16
 * and multiplied as 16-bit integers with scales after Winograd's transforms, as float32 elsewhere, and weights, statistics
 * and loss in float32 (few images in evaluation: activations in float32, products of integers where channels come in
 * sixteens); "float64Sums" in float32 with convolutions summed in double and rounded once (reference numbers).
 */
export type Precision = "float32" | "mixed" | "float64Sums";

/**
 * Mean and variance of each channel: of a batch [D, C], each distinct step's own, the variance the biased one over that
 * step's rows; or the running ones [T, C].
 */
export interface NormStatistics {
  readonly mean: Tensor2D;
  readonly variance: Tensor2D;
}

/** Scale or offset of a batch norm, or its gradient: [D, C] of each distinct step, or [C] where all steps share it. */
export type Affine = Tensor1D | Tensor2D;

/** How running statistics [T, C] take in a batch's. */
export interface RunningUpdate {
  /** [T] the distinct step whose statistics a timestep takes in; ABSENT where it keeps its own. */
  readonly step: readonly number[];
  /** m, the share of the batch. */
  readonly momentum: number;
  /** n, the values of a channel in the whole batch. */
  readonly values: number;
}

/** What makes the biased variance of n values the unbiased one, n / (n - 1); 1 for a single value. */
export const unbiasing = (values: number): number => values / Math.max(values - 1, 1);

/** y = x gain + bias with gain and bias [D, C] of each distinct step, of so many rows each, then a ReLU where asked. */
export interface GainAndBias {
  readonly gain: Tensor2D;
  readonly bias: Tensor2D;
  readonly rows: readonly number[];
  readonly relu: boolean;
}

/** How a batch norm is taken: the rows of each distinct step, and whether a ReLU follows. */
export interface NormSteps {
  readonly rows: readonly number[];
  readonly epsilon: number;
  readonly relu: boolean;
}

/** A parameter with its velocity, undefined before the first step, and its gradient. */
export interface ParameterUpdate {
  readonly weight: Tensor;
  readonly velocity: Tensor | undefined;
  readonly gradient: Tensor;
}

/** How a delayed residual and an instant shortcut meet: `plan` (lib/nn/delay.ts) on their timelines, then a ReLU where asked. */
export interface MergeSteps {
  readonly residual: Timeline;
  readonly shortcut: Timeline | undefined;
  readonly plan: MergePlan;
  readonly relu: boolean;
}

/** A step of stochastic gradient descent (lib/train/sgd.ts). */
export interface SgdStep {
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
}

/**
 * The operations that networks are trained and evaluated by, forward and gradient: plain functions on tensors, NHWC with
 * time folded into the first axis, [N, H, W, C], N the rows of all distinct steps. There are two implementations, by the
 * project's own kernels (lib/nn/native) and composed of TensorFlow's operations; chosen-kernels.ts takes one, and a test
 * holds them together.
 */
export interface Kernels {
  /**
   * x [N, H, W, C] * filter [k, k, C, C'] -> [N, H/stride, W/stride, C'], padded by floor(k/2) zeros, then the epilogue
   * where one is given. In mixed precision the result is bfloat16; the image itself comes as float32 and is convolved so.
   */
  convolve(
    x: Tensor4D,
    filter: Tensor4D,
    stride: number,
    precision: Precision,
    epilogue?: GainAndBias,
  ): Tensor4D;

  /** Gradient of `convolve` by its input: dy [N, H', W', C'] -> [N, H, W, C]. */
  convolveInputGradient(
    dy: Tensor4D,
    filter: Tensor4D,
    inputShape: Tensor4D["shape"],
    stride: number,
    precision: Precision,
  ): Tensor4D;

  /** Gradient of `convolve` by its filter: -> [k, k, C, C'], float32. */
  convolveFilterGradient(
    x: Tensor4D,
    dy: Tensor4D,
    filterShape: Tensor4D["shape"],
    stride: number,
    precision: Precision,
  ): Tensor4D;

  /**
   * Batch normalization in training, each distinct step by its own batch statistics:
   *
   *     y = scale (x - mean) / sqrt(variance + epsilon) + offset
   */
  normalize(x: Tensor4D, scale: Affine, offset: Affine, steps: NormSteps): { y: Tensor4D } & NormStatistics;

  /**
   * Gradient of `normalize`, with n the values a channel has in a step and xn = (x - mean) / sqrt(variance + epsilon):
   *
   *     dx = scale / sqrt(variance + epsilon) (dy - sum(dy) / n - xn sum(dy xn) / n)
   *     dscale = sum(dy xn),  doffset = sum(dy)            (over all steps that share a scale)
   *
   * dy counts only where the ReLU let through. For a step of one row that stands for the whole batch, the caller
   * gives the summed gradient, and the result is the summed gradient.
   */
  normalizeGradient(
    dy: Tensor4D,
    x: Tensor4D,
    scale: Affine,
    offset: Affine,
    statistics: NormStatistics,
    steps: NormSteps,
  ): { dx: Tensor4D; dscale: Affine; doffset: Affine };

  /**
   * Running statistics [T, C] after a batch; the variance becomes the unbiased one. Timesteps whose step is ABSENT keep
   * theirs:
   *
   *     mean[t] <- (1 - m) mean[t] + m batchMean[step[t]]
   *     variance[t] <- (1 - m) variance[t] + m batchVariance[step[t]] n / (n - 1)
   */
  updateStatistics(running: NormStatistics, batch: NormStatistics, update: RunningUpdate): NormStatistics;

  /** x [N, H, W, C] -> y = x gain + bias, then the ReLU. */
  scaleAndShift(x: Tensor4D, folded: GainAndBias): Tensor4D;

  /**
   * relu(delay(residual) + shortcut) on the distinct steps of the plan; without a shortcut the delay alone. A one-row step
   * is repeated where it meets a step of B rows.
   */
  merge(residual: Tensor4D, shortcut: Tensor4D | undefined, steps: MergeSteps): Tensor4D;

  /** Gradient of `merge`: dy, y on the plan's timeline -> by the residual, and by the shortcut (no rows without one). */
  mergeGradient(dy: Tensor4D, y: Tensor4D, steps: MergeSteps): { dresidual: Tensor4D; dshortcut: Tensor4D };

  /** a + b, of one shape and stored alike. */
  add(a: Tensor4D, b: Tensor4D): Tensor4D;

  /** 3x3 max-pool, stride 2, padding 1. The input has passed a ReLU, so padding by zero is padding by nothing. */
  maxPool(x: Tensor4D): Tensor4D;

  /** Gradient of `maxPool`: dy, y [N, H/2, W/2, C] -> [N, H, W, C]; to the first position that holds a window's maximum. */
  maxPoolGradient(dy: Tensor4D, x: Tensor4D, y: Tensor4D): Tensor4D;

  /** One step of stochastic gradient descent on each parameter (lib/train/sgd.ts has the equation). */
  updateParameters(
    updates: readonly ParameterUpdate[],
    step: SgdStep,
  ): { readonly weight: Tensor; readonly velocity: Tensor }[];
}

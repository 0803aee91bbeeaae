import {
  attribute,
  hasOwnKernels,
  runNative,
  type Storage,
  storageOf,
  tf,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
} from "./tensorflow.js";
import type { MergePlan } from "./delay.js";
import { ABSENT, firstRows, type Selection, type Timeline, valueAt } from "./timeline.js";

/**
 * The tensor operations of the network beside convolution (convolve.ts), forward and gradient, as plain functions on
 * tensors. Raw TensorFlow operations, the project's own kernels (lib/nn/native) and their composed equivalents meet here.
 *
 * Values are NHWC with time folded into the first axis: [N, H, W, C], N the rows of all distinct steps.
 */

// ---------------------------------------------------------------- batch norm, one group of rows per distinct step

/** Batch statistics [D, C] of each distinct step; the variance is the biased one, over that step's own rows. */
export interface BatchStatistics {
  readonly mean: Tensor2D;
  readonly variance: Tensor2D;
}

/**
 * Batch normalization in training, each distinct step by its own batch statistics, then ReLU where asked:
 *
 *     y = scale (x - mean) / sqrt(variance + epsilon) + offset
 *
 * x [N, H, W, C], scale and offset [D, C] -> y [N, H, W, C] and the statistics.
 */
export function normalize(
  x: Tensor4D,
  scale: Tensor2D,
  offset: Tensor2D,
  rows: readonly number[],
  epsilon: number,
  relu: boolean,
): { y: Tensor4D } & BatchStatistics {
  if (hasOwnKernels) {
    const attributes = [
      attribute.integers("rows", rows),
      attribute.float("epsilon", epsilon),
      attribute.boolean("relu", relu),
    ];
    const [y, mean, variance] = runNative("CascadeNormalize", attributes, [x, scale, offset], 3);
    return { y: y as Tensor4D, mean: mean as Tensor2D, variance: variance as Tensor2D };
  }
  return tf.tidy(() => {
    const means: Tensor[] = [];
    const variances: Tensor[] = [];
    const parts = splitRows(x, rows).map((part, d) => {
      const moments = tf.moments(part, [0, 1, 2]);
      means.push(moments.mean);
      variances.push(moments.variance);
      const gain = tf.mul(row(scale, d), tf.div(1, tf.sqrt(tf.add(moments.variance, epsilon))));
      const y: Tensor4D = tf.add(tf.mul(tf.sub(part, moments.mean), gain), row(offset, d));
      return relu ? tf.relu(y) : y;
    });
    return { y: concatenate(parts), mean: tf.stack(means), variance: tf.stack(variances) };
  }) as { y: Tensor4D } & BatchStatistics;
}

/**
 * Gradient of `normalize`, with n the values a channel has in a step and xn = (x - mean) / sqrt(variance + epsilon):
 *
 *     dx = scale / sqrt(variance + epsilon) (dy - sum(dy) / n - xn sum(dy xn) / n)
 *     dscale = sum(dy xn),  doffset = sum(dy)
 *
 * dy counts only where the ReLU let through. For a step of one row that stands for the whole batch, the caller
 * gives the summed gradient, and the result is the summed gradient.
 */
export function normalizeGradient(
  dy: Tensor4D,
  x: Tensor4D,
  scale: Tensor2D,
  offset: Tensor2D,
  statistics: BatchStatistics,
  rows: readonly number[],
  epsilon: number,
  relu: boolean,
): { dx: Tensor4D; dscale: Tensor2D; doffset: Tensor2D } {
  if (hasOwnKernels) {
    const attributes = [
      attribute.integers("rows", rows),
      attribute.float("epsilon", epsilon),
      attribute.boolean("relu", relu),
    ];
    const inputs = [dy, x, scale, offset, statistics.mean, statistics.variance];
    const [dx, dscale, doffset] = runNative("CascadeNormalizeGradient", attributes, inputs, 3);
    return { dx: dx as Tensor4D, dscale: dscale as Tensor2D, doffset: doffset as Tensor2D };
  }
  return tf.tidy(() => {
    const dscales: Tensor[] = [];
    const doffsets: Tensor[] = [];
    const xs = splitRows(x, rows);
    const parts = splitRows(dy, rows).map((part, d) => {
      const deviation = tf.div(1, tf.sqrt(tf.add(row(statistics.variance, d), epsilon)));
      const normalized = tf.mul(tf.sub(valueAt(xs, d), row(statistics.mean, d)), deviation);
      const passed = relu
        ? tf.mul(part, tf.step(tf.add(tf.mul(normalized, row(scale, d)), row(offset, d))))
        : part;
      const doffset = tf.sum(passed, [0, 1, 2]);
      const dscale = tf.sum(tf.mul(passed, normalized), [0, 1, 2]);
      dscales.push(dscale);
      doffsets.push(doffset);
      const n = part.shape[0] * part.shape[1] * part.shape[2];
      const centred = tf.sub(tf.sub(passed, tf.div(doffset, n)), tf.mul(normalized, tf.div(dscale, n)));
      return tf.mul<Tensor4D>(centred, tf.mul(row(scale, d), deviation));
    });
    return { dx: concatenate(parts), dscale: tf.stack(dscales), doffset: tf.stack(doffsets) };
  }) as { dx: Tensor4D; dscale: Tensor2D; doffset: Tensor2D };
}

/** Batch norm in evaluation: y = x gain + bias with gain and bias [D, C] of each distinct step, then ReLU where asked. */
export interface GainAndBias {
  readonly gain: Tensor2D;
  readonly bias: Tensor2D;
  readonly rows: readonly number[];
  readonly relu: boolean;
}

/** x [N, H, W, C] -> y [N, H, W, C] by such gain and bias. */
export function scaleAndShift(x: Tensor4D, { gain, bias, rows, relu }: GainAndBias): Tensor4D {
  if (hasOwnKernels) {
    const attributes = [attribute.integers("rows", rows), attribute.boolean("relu", relu)];
    return only(runNative("CascadeScaleAndShift", attributes, [x, gain, bias]));
  }
  return tf.tidy(() =>
    concatenate(
      splitRows(x, rows).map((part, d) => {
        const y: Tensor4D = tf.add(tf.mul(part, row(gain, d)), row(bias, d));
        return relu ? tf.relu(y) : y;
      }),
    ),
  );
}

// ---------------------------------------------------------------- delay and addition

/**
 * relu(delay(residual) + shortcut) on the distinct steps of `plan` (lib/nn/delay.ts has the equation); without a
 * shortcut the delay alone. A one-row step is repeated where it meets a step of B rows.
 */
export function merge(
  residual: Tensor4D,
  residualTimeline: Timeline,
  shortcut: { readonly values: Tensor4D; readonly timeline: Timeline } | undefined,
  plan: MergePlan,
  relu: boolean,
): Tensor4D {
  if (hasOwnKernels) {
    const attributes = mergeAttributes(residualTimeline, shortcut?.timeline, plan, relu);
    return only(runNative("CascadeMerge", attributes, [residual, shortcut?.values ?? residual]));
  }
  return tf.tidy(() => {
    const u = splitRows(residual, residualTimeline.rows);
    const x = shortcut === undefined ? [] : splitRows(shortcut.values, shortcut.timeline.rows);
    const [, height, width, channels] = residual.shape;
    let carried: Tensor4D | undefined;
    const steps = plan.residual.map((from, d) => {
      const terms: Tensor4D[] = [];
      if (plan.carry !== 0 && carried !== undefined) terms.push(tf.mul(carried, plan.carry));
      if (from !== ABSENT)
        terms.push(plan.gain === 1 ? valueAt(u, from) : tf.mul(valueAt(u, from), plan.gain));
      carried = terms.length === 0 ? undefined : terms.reduce((a, b) => tf.add(a, b));
      const instant = valueAt(plan.shortcut, d);
      const counted = d < plan.firstCounted ? undefined : carried;
      const parts = [counted, instant === ABSENT ? undefined : valueAt(x, instant)].filter(
        (p): p is Tensor4D => p !== undefined,
      );
      const zero = zeros4d([valueAt(plan.timeline.rows, d), height, width, channels]);
      const sum = parts.reduce<Tensor4D>((a, b) => tf.add(a, b), zero);
      return relu ? tf.relu(sum) : sum;
    });
    return concatenate(steps);
  });
}

/** Gradient of `merge`: dy, y [N, H, W, C] on the plan's timeline -> by the residual, and by the shortcut (no rows without one). */
export function mergeGradient(
  dy: Tensor4D,
  y: Tensor4D,
  residualTimeline: Timeline,
  shortcutTimeline: Timeline | undefined,
  plan: MergePlan,
  relu: boolean,
): { dresidual: Tensor4D; dshortcut: Tensor4D } {
  if (hasOwnKernels) {
    const attributes = mergeAttributes(residualTimeline, shortcutTimeline, plan, relu);
    const [dresidual, dshortcut] = runNative("CascadeMergeGradient", attributes, [dy, y], 2);
    return { dresidual: dresidual as Tensor4D, dshortcut: dshortcut as Tensor4D };
  }
  return tf.tidy((): { dresidual: Tensor4D; dshortcut: Tensor4D } => {
    const dsum = splitRows(relu ? tf.mul(dy, tf.step(y)) : dy, plan.timeline.rows);
    const du = residualTimeline.rows.map((): Tensor4D | undefined => undefined);
    const dx = (shortcutTimeline?.rows ?? []).map((): Tensor4D | undefined => undefined);
    const add = (to: (Tensor4D | undefined)[], d: number, part: Tensor4D, rows: number) => {
      const fitted = part.shape[0] > rows ? tf.sum<Tensor4D>(part, 0, true) : part;
      const before = to[d];
      to[d] = before === undefined ? fitted : tf.add<Tensor4D>(before, fitted);
    };
    let carried: Tensor4D | undefined;
    for (let d = dsum.length - 1; d >= 0; d--) {
      const own = valueAt(dsum, d);
      const instant = valueAt(plan.shortcut, d);
      if (shortcutTimeline !== undefined && instant !== ABSENT)
        add(dx, instant, own, valueAt(shortcutTimeline.rows, instant));
      const counted = d < plan.firstCounted ? tf.zerosLike(own) : own;
      const dz: Tensor4D = carried === undefined ? counted : tf.add(counted, tf.mul(carried, plan.carry));
      const from = valueAt(plan.residual, d);
      if (from !== ABSENT) add(du, from, tf.mul(dz, plan.gain), valueAt(residualTimeline.rows, from));
      carried = plan.carry === 0 ? undefined : dz;
    }
    const [, height, width, channels] = dy.shape;
    const fill = (parts: (Tensor4D | undefined)[], timeline: Timeline) =>
      concatenate(parts.map((p, d) => p ?? zeros4d([valueAt(timeline.rows, d), height, width, channels])));
    const dresidual = fill(du, residualTimeline);
    return {
      dresidual,
      dshortcut:
        shortcutTimeline === undefined ? zeros4d([0, height, width, channels]) : fill(dx, shortcutTimeline),
    };
  });
}

function mergeAttributes(residual: Timeline, shortcut: Timeline | undefined, plan: MergePlan, relu: boolean) {
  return [
    attribute.integers("residual_rows", residual.rows),
    attribute.integers("shortcut_rows", shortcut?.rows ?? []),
    attribute.integers("rows", plan.timeline.rows),
    attribute.integers("residual", plan.residual),
    attribute.integers("shortcut", plan.shortcut),
    attribute.integer("first_counted", plan.firstCounted),
    attribute.float("carry", plan.carry),
    attribute.float("gain", plan.gain),
    attribute.boolean("relu", relu),
  ];
}

/** The distinct steps of `selection`, taken from `x` and laid one after another. */
export function gatherSteps(x: Tensor4D, before: Timeline, selection: Selection): Tensor4D {
  return tf.tidy(() => {
    const parts = splitRows(x, before.rows);
    return concatenate(selection.source.map((d) => valueAt(parts, d)));
  });
}

/** Gradient of `gatherSteps`: what each old step receives from all the new steps taken from it. */
export function gatherStepsGradient(dy: Tensor4D, before: Timeline, selection: Selection): Tensor4D {
  return tf.tidy(() => {
    const parts = splitRows(dy, selection.timeline.rows);
    const [, height, width, channels] = dy.shape;
    return concatenate(
      before.rows.map((rows, d) => {
        const received = parts.filter((_, i) => selection.source[i] === d);
        return received.length === 0
          ? stored(zeros4d([rows, height, width, channels]), storageOf(dy))
          : received.reduce(add);
      }),
    );
  });
}

/** a + b, stored alike. */
export function add(a: Tensor4D, b: Tensor4D): Tensor4D {
  if (storageOf(a) === "float32") return tf.add(a, b);
  return only(runNative("AddV2", [attribute.storage("T", storageOf(a))], [a, b]));
}

export function relu(x: Tensor4D): Tensor4D {
  if (storageOf(x) === "float32") return tf.relu(x);
  return only(runNative("Relu", [attribute.storage("T", storageOf(x))], [x]));
}

/** Gradient of `relu`, with y its result. */
export function reluGradient(dy: Tensor4D, y: Tensor4D): Tensor4D {
  if (storageOf(y) === "float32") return tf.tidy(() => tf.mul<Tensor4D>(dy, tf.step(y)));
  return only(runNative("ReluGrad", [attribute.storage("T", storageOf(y))], [dy, y]));
}

// ---------------------------------------------------------------- pooling and head

/** 3x3 max-pool, stride 2, padding 1. The input has passed a ReLU, so padding by zero is padding by nothing. */
export function maxPool(x: Tensor4D): Tensor4D {
  if (hasOwnKernels) return only(runNative("CascadeMaxPool", [], [x]));
  return tf.tidy(() => tf.maxPool(padOne(x), 3, 2, "valid"));
}

/** Gradient of `maxPool`: dy, y [N, H/2, W/2, C] -> [N, H, W, C]. */
export function maxPoolGradient(dy: Tensor4D, x: Tensor4D, y: Tensor4D): Tensor4D {
  if (hasOwnKernels) return only(runNative("CascadeMaxPoolGradient", [], [dy, x, y]));
  return tf.tidy(() => {
    const dpadded = tf
      .engine()
      .runKernel(
        "MaxPoolGrad",
        { dy, input: padOne(x), output: y },
        { filterSize: 3, strides: 2, pad: "valid" },
      );
    return tf.slice(dpadded as Tensor4D, [0, 1, 1, 0], x.shape);
  });
}

function padOne(x: Tensor4D): Tensor4D {
  return pad(x, [1, 1], [1, 1]);
}

/** Mean over height and width: [N, H, W, C] -> [N, C]. */
export function globalAveragePool(x: Tensor4D): Tensor2D {
  return tf.tidy(() => tf.mean<Tensor2D>(stored(x, "float32"), [1, 2]));
}

/** Gradient of `globalAveragePool`: [N, C] -> [N, H, W, C], stored as x was. */
export function globalAveragePoolGradient(dy: Tensor2D, x: Tensor4D): Tensor4D {
  return tf.tidy(() => {
    const [rows, height, width, channels] = x.shape;
    const share: Tensor4D = tf.reshape(tf.div(dy, height * width), [rows, 1, 1, channels]);
    return stored(tf.tile(share, [1, height, width, 1]), storageOf(x));
  });
}

// ---------------------------------------------------------------- rows of the folded batch axis

/** The rows of each distinct step, one tensor a step. */
function splitRows(x: Tensor4D, rows: readonly number[]): Tensor4D[] {
  const first = firstRows(rows);
  const [, height, width, channels] = x.shape;
  return rows.map((count, d) => slice(x, [valueAt(first, d), 0, 0, 0], [count, height, width, channels]));
}

function concatenate(parts: readonly Tensor4D[]): Tensor4D {
  const first = valueAt(parts, 0);
  if (parts.length === 1) return tf.clone(first);
  if (storageOf(first) === "float32") return tf.concat([...parts], 0);
  const attributes = [
    attribute.integer("N", parts.length),
    attribute.storage("T", storageOf(first)),
    attribute.int32Type("Tidx"),
  ];
  return tf.tidy(() => only(runNative("ConcatV2", attributes, [...parts, tf.scalar(0, "int32")])));
}

/** The same numbers stored otherwise; x itself where they are stored so already. */
export function stored<X extends Tensor>(x: X, storage: Storage): X {
  if (storageOf(x) === storage) return x;
  const attributes = [
    attribute.storage("SrcT", storageOf(x)),
    attribute.storage("DstT", storage),
    attribute.boolean("Truncate", false),
  ];
  return valueAt(runNative("Cast", attributes, [x]), 0) as X;
}

export function slice(x: Tensor4D, begin: number[], size: number[]): Tensor4D {
  if (storageOf(x) === "float32") return tf.slice(x, begin, size);
  const attributes = [attribute.storage("T", storageOf(x)), attribute.int32Type("Index")];
  return tf.tidy(() =>
    only(runNative("Slice", attributes, [x, tf.tensor1d(begin, "int32"), tf.tensor1d(size, "int32")])),
  );
}

/** Zeros around the map: rows and columns before and after. */
export function pad(x: Tensor4D, rows: [number, number], columns: [number, number]): Tensor4D {
  const widths: [number, number][] = [[0, 0], rows, columns, [0, 0]];
  if (storageOf(x) === "float32") return tf.pad(x, widths);
  const attributes = [attribute.storage("T", storageOf(x)), attribute.int32Type("Tpaddings")];
  return tf.tidy(() => only(runNative("Pad", attributes, [x, tf.tensor2d(widths, [4, 2], "int32")])));
}

function zeros4d(shape: Tensor4D["shape"]): Tensor4D {
  return tf.zeros(shape);
}

/** Row d of a [D, C] tensor, as [C]. */
function row(table: Tensor2D, d: number): Tensor {
  return tf.reshape(tf.slice(table, [d, 0], [1, table.shape[1]]), [table.shape[1]]);
}

/** The single result of a native operation on NHWC values. */
export function only(outputs: readonly Tensor[]): Tensor4D {
  return valueAt(outputs, 0) as Tensor4D;
}

// ---------------------------------------------------------------- optimizer

/** One step of stochastic gradient descent on one parameter (lib/train/sgd.ts has the equation). */
export function updateParameter(
  weight: Tensor,
  velocity: Tensor | undefined,
  gradient: Tensor,
  settings: { readonly learningRate: number; readonly momentum: number; readonly weightDecay: number },
): { weight: Tensor; velocity: Tensor } {
  const { learningRate, momentum, weightDecay } = settings;
  if (hasOwnKernels) {
    return tf.tidy(() => {
      const before = velocity ?? tf.zerosLike(weight);
      const numbers = tf.tensor1d([learningRate, momentum, weightDecay]);
      const [nextWeight, nextVelocity] = runNative("CascadeSgd", [], [weight, before, gradient, numbers], 2);
      return { weight: nextWeight as Tensor, velocity: nextVelocity as Tensor };
    });
  }
  return tf.tidy(() => {
    const decayed = tf.add(gradient, tf.mul(weight, weightDecay));
    const nextVelocity: Tensor =
      velocity === undefined ? tf.clone(decayed) : tf.add(tf.mul(velocity, momentum), decayed);
    const direction = tf.add(decayed, tf.mul(nextVelocity, momentum));
    return { weight: tf.sub(weight, tf.mul(direction, learningRate)), velocity: nextVelocity };
  });
}

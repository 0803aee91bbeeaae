import { cast, only } from "./elementwise.js";
import {
  type Affine,
  type Kernels,
  type MergeSteps,
  type NormSteps,
  type Precision,
  unbiasing,
} from "./kernels.js";
import { attribute, dtypeOf, runNative } from "./native-operation.js";
import { type Tensor2D, type Tensor4D, tf } from "../tensorflow.js";
import { valueAt } from "../timeline.js";

/** The project's own kernels, each one TensorFlow operation (lib/nn/native/operations). */
export const ownKernels: Kernels = {
  convolve: (x, filter, stride, precision, epilogue) => {
    const folded = epilogue === undefined ? [] : [epilogue.gain, epilogue.bias];
    const attributes = [
      ...convolutionAttributes(x, stride, precision),
      attribute.integer("epilogue", folded.length),
      attribute.integers("rows", epilogue?.rows ?? [x.shape[0]]),
      attribute.boolean("relu", epilogue?.relu ?? false),
    ];
    return tf.tidy(() => {
      const y = only(runNative("CascadeConvolve", attributes, [x, filter, ...folded]));
      return precision === "mixed" ? cast(y, "bfloat16") : y;
    });
  },

  convolveInputGradient: (dy, filter, [, height, width], stride, precision) => {
    const attributes = [
      ...convolutionAttributes(dy, stride, precision),
      attribute.integer("height", height),
      attribute.integer("width", width),
    ];
    return only(runNative("CascadeConvolveInputGradient", attributes, [dy, filter]));
  },

  convolveFilterGradient: (x, dy, [size], stride, precision) => {
    const attributes = [...convolutionAttributes(x, stride, precision), attribute.integer("size", size)];
    return tf.tidy(() =>
      only(runNative("CascadeConvolveFilterGradient", attributes, [x, cast(dy, dtypeOf(x))])),
    );
  },

  normalize: (x, scale, offset, steps) => {
    const [y, mean, variance] = runNative("CascadeNormalize", normAttributes(steps), [x, scale, offset], 3);
    return { y: y as Tensor4D, mean: mean as Tensor2D, variance: variance as Tensor2D };
  },

  normalizeGradient: (dy, x, scale, offset, { mean, variance }, steps) => {
    const inputs = [dy, x, scale, offset, mean, variance];
    const [dx, dscale, doffset] = runNative("CascadeNormalizeGradient", normAttributes(steps), inputs, 3);
    return { dx: dx as Tensor4D, dscale: dscale as Affine, doffset: doffset as Affine };
  },

  updateStatistics: (running, batch, { step, momentum, values }) => {
    const attributes = [
      attribute.integers("step", step),
      attribute.float("momentum", momentum),
      attribute.float("unbias", unbiasing(values)),
    ];
    const inputs = [running.mean, running.variance, batch.mean, batch.variance];
    const [mean, variance] = runNative("CascadeUpdateStatistics", attributes, inputs, 2);
    return { mean: mean as Tensor2D, variance: variance as Tensor2D };
  },

  scaleAndShift: (x, { gain, bias, rows, relu }) => {
    const attributes = [attribute.integers("rows", rows), attribute.boolean("relu", relu)];
    return only(runNative("CascadeScaleAndShift", attributes, [x, gain, bias]));
  },

  merge: (residual, shortcut, steps) =>
    only(runNative("CascadeMerge", mergeAttributes(steps), [residual, shortcut ?? residual])),

  mergeGradient: (dy, y, steps) => {
    const [dresidual, dshortcut] = runNative("CascadeMergeGradient", mergeAttributes(steps), [dy, y], 2);
    return { dresidual: dresidual as Tensor4D, dshortcut: dshortcut as Tensor4D };
  },

  add: (a, b) => only(runNative("CascadeMerge", mergeAttributes(meetingAtOnce(a.shape[0])), [a, b])),

  maxPool: (x) => only(runNative("CascadeMaxPool", [], [x])),

  maxPoolGradient: (dy, x, y) => only(runNative("CascadeMaxPoolGradient", [], [dy, x, y])),

  updateParameters: (updates, { learningRate, momentum, weightDecay }) => {
    const n = updates.length;
    const updated = tf.tidy(() => {
      const inputs = [
        ...updates.map(({ weight }) => weight),
        ...updates.map(({ weight, velocity }) => velocity ?? tf.zerosLike(weight)),
        ...updates.map(({ gradient }) => gradient),
        tf.tensor1d([learningRate, momentum, weightDecay]),
      ];
      return runNative("CascadeSgd", [attribute.integer("N", n)], inputs, 2 * n);
    });
    return updates.map((_, i) => ({ weight: valueAt(updated, i), velocity: valueAt(updated, n + i) }));
  },
};

function convolutionAttributes(x: Tensor4D, stride: number, precision: Precision) {
  return [
    attribute.dtype("T", dtypeOf(x)),
    attribute.integer("stride", stride),
    attribute.boolean("float64_sums", precision === "float64Sums"),
  ];
}

function normAttributes({ rows, epsilon, relu }: NormSteps) {
  return [
    attribute.integers("rows", rows),
    attribute.float("epsilon", epsilon),
    attribute.boolean("relu", relu),
  ];
}

/** All rows in one step, without delay: a sum. */
function meetingAtOnce(rows: number): MergeSteps {
  const timeline = { step: [0], rows: [rows] };
  const plan = { timeline, carry: 0, gain: 1, firstCounted: 0, residual: [0], shortcut: [0] };
  return { residual: timeline, shortcut: timeline, plan, relu: false };
}

function mergeAttributes({ residual, shortcut, plan, relu }: MergeSteps) {
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

import { only, pad, slice } from "./elementwise.js";
import type { Kernels } from "./kernels.js";
import { attribute, runNative } from "./native-operation.js";
import { isNative, type Tensor4D, tf } from "../tensorflow.js";
import { composedNorm } from "./composed-norm.js";

/** Convolution in float32 by TensorFlow's own operations, natively or in JavaScript. */
export const composedConvolution: Pick<
  Kernels,
  "convolve" | "convolveInputGradient" | "convolveFilterGradient"
> = {
  convolve: (x, filter, stride, _precision, epilogue) =>
    tf.tidy(() => {
      const y = convolve(x, filter, stride);
      return epilogue === undefined ? y : composedNorm.scaleAndShift(y, epilogue);
    }),
  convolveInputGradient: inputGradient,
  convolveFilterGradient: filterGradient,
};

/** Rows of zeros before and after the map: half the filter's size, as far as the stride reaches. */
function paddingOf(side: number, filterSize: number, stride: number): [before: number, after: number] {
  const before = Math.floor(filterSize / 2);
  const outputs = Math.floor((side + 2 * before - filterSize) / stride) + 1;
  return [before, Math.max(0, (outputs - 1) * stride + filterSize - side - before)];
}

/**
 * At stride 1 TensorFlow pads by itself. At stride 2 its SAME pads otherwise than the reference, and its explicit
 * padding takes a slow path backwards, so the map is padded first.
 */
function padsItself(filterSize: number, stride: number): boolean {
  return stride === 1 || filterSize === 1;
}

function padMap(x: Tensor4D, filterSize: number, stride: number): Tensor4D {
  const [, height, width] = x.shape;
  return pad(x, paddingOf(height, filterSize, stride), paddingOf(width, filterSize, stride));
}

function paddedShape(shape: Tensor4D["shape"], filterSize: number, stride: number): Tensor4D["shape"] {
  const [rows, height, width, channels] = shape;
  const padded = (side: number): number => paddingOf(side, filterSize, stride).reduce((a, b) => a + b, side);
  return [rows, padded(height), padded(width), channels];
}

type Padding = "SAME" | "VALID";

function convolutionAttributes(padding: Padding, stride: number) {
  return [
    attribute.dtype("T", "float32"),
    attribute.integers("strides", [1, stride, stride, 1]),
    attribute.text("padding", padding),
    attribute.text("data_format", "NHWC"),
    attribute.boolean("use_cudnn_on_gpu", true),
    attribute.integers("dilations", [1, 1, 1, 1]),
  ];
}

function convolve(x: Tensor4D, filter: Tensor4D, stride: number): Tensor4D {
  const [size] = filter.shape;
  if (padsItself(size, stride)) return plainConvolve(x, filter, "SAME", stride);
  return tf.tidy(() => plainConvolve(padMap(x, size, stride), filter, "VALID", stride));
}

function plainConvolve(x: Tensor4D, filter: Tensor4D, padding: Padding, stride: number): Tensor4D {
  if (!isNative) return tf.conv2d(x, filter, stride, padding === "SAME" ? "same" : "valid");
  return only(runNative("Conv2D", convolutionAttributes(padding, stride), [x, filter]));
}

function inputGradient(
  dy: Tensor4D,
  filter: Tensor4D,
  inputShape: Tensor4D["shape"],
  stride: number,
): Tensor4D {
  const [size] = filter.shape;
  if (padsItself(size, stride)) return plainInputGradient(dy, filter, inputShape, "SAME", stride);
  return tf.tidy(() => {
    const padded = paddedShape(inputShape, size, stride);
    const before = Math.floor(size / 2);
    return slice(plainInputGradient(dy, filter, padded, "VALID", stride), [0, before, before, 0], inputShape);
  });
}

function plainInputGradient(
  dy: Tensor4D,
  filter: Tensor4D,
  inputShape: Tensor4D["shape"],
  padding: Padding,
  stride: number,
): Tensor4D {
  if (!isNative) {
    const attributes = { strides: stride, pad: padding.toLowerCase(), dataFormat: "NHWC", inputShape };
    return tf.engine().runKernel("Conv2DBackpropInput", { dy, filter }, attributes);
  }
  return tf.tidy(() => {
    const shape = tf.tensor1d(inputShape, "int32");
    return only(
      runNative("Conv2DBackpropInput", convolutionAttributes(padding, stride), [shape, filter, dy]),
    );
  });
}

function filterGradient(x: Tensor4D, dy: Tensor4D, filterShape: Tensor4D["shape"], stride: number): Tensor4D {
  const [size] = filterShape;
  if (size === 1 && stride > 1) return sampledFilterGradient(x, dy, filterShape, stride);
  if (padsItself(size, stride)) return plainFilterGradient(x, dy, filterShape, "SAME", stride);
  return tf.tidy(() => plainFilterGradient(padMap(x, size, stride), dy, filterShape, "VALID", stride));
}

function plainFilterGradient(
  x: Tensor4D,
  dy: Tensor4D,
  filterShape: Tensor4D["shape"],
  padding: Padding,
  stride: number,
): Tensor4D {
  if (!isNative) {
    const attributes = { strides: stride, pad: padding.toLowerCase(), dataFormat: "NHWC", filterShape };
    return tf.engine().runKernel("Conv2DBackpropFilter", { x, dy }, attributes);
  }
  return tf.tidy(() => {
    const shape = tf.tensor1d(filterShape, "int32");
    return only(runNative("Conv2DBackpropFilter", convolutionAttributes(padding, stride), [x, shape, dy]));
  });
}

/**
 * A 1x1 convolution reads every stride-th position only, so its filter gradient is that of stride 1 on those. (Asked
 * for the stride itself, TensorFlow's oneDNN writes beyond a buffer of its own where channels are few: a crash.)
 */
function sampledFilterGradient(
  x: Tensor4D,
  dy: Tensor4D,
  filterShape: Tensor4D["shape"],
  stride: number,
): Tensor4D {
  return tf.tidy(() => {
    const sampled = tf.stridedSlice(x, [0, 0, 0, 0], x.shape, [1, stride, stride, 1]) as Tensor4D;
    return plainFilterGradient(sampled, dy, filterShape, "SAME", 1);
  });
}

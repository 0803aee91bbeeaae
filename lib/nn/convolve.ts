import { composedConvolve, composedFilterGradient, composedInputGradient } from "./composed-convolution.js";
import { type GainAndBias, only, scaleAndShift, stored } from "./ops.js";
import { attribute, hasOwnKernels, runNative, storageOf, tf, type Tensor4D } from "./tensorflow.js";

/**
 * What a pass computes in: "float32" as fast as may be; "mixed" with activations and their gradients stored as bfloat16
 * and multiplied as 16-bit integers with scales after Winograd's transforms, as float32 elsewhere, and weights, statistics
 * and loss in float32; "exactSums" in float32 with convolutions summed in double and rounded once (reference numbers).
 */
export type Precision = "float32" | "mixed" | "exactSums";

/**
 * x [N, H, W, C] * filter [k, k, C, C'] -> [N, H/stride, W/stride, C'], padded by floor(k/2) zeros; scaled and shifted by
 * `epilogue`, where given, before the result is stored. In mixed precision the result is bfloat16; the image itself
 * comes as float32 and is convolved so. (lib/nn/native/arithmetic/convolution.h says which algorithm is taken.)
 */
export function convolve(
  x: Tensor4D,
  filter: Tensor4D,
  stride: number,
  precision: Precision,
  epilogue?: GainAndBias,
): Tensor4D {
  if (!hasOwnKernels) {
    return tf.tidy(() => {
      const y = composedConvolve(x, filter, stride);
      return epilogue === undefined ? y : scaleAndShift(y, epilogue);
    });
  }
  const folded = epilogue === undefined ? [] : [epilogue.gain, epilogue.bias];
  const attributes = [
    ...kernelAttributes(x, stride, precision),
    attribute.integer("epilogue", folded.length),
    attribute.integers("rows", epilogue?.rows ?? [x.shape[0]]),
    attribute.boolean("relu", epilogue?.relu ?? false),
  ];
  return tf.tidy(() => {
    const y = only(runNative("CascadeConvolve", attributes, [x, filter, ...folded]));
    return precision === "mixed" ? stored(y, "bfloat16") : y;
  });
}

/** Gradient of `convolve` by its input: dy [N, H', W', C'] -> [N, H, W, C]. */
export function convolveInputGradient(
  dy: Tensor4D,
  filter: Tensor4D,
  inputShape: Tensor4D["shape"],
  stride: number,
  precision: Precision,
): Tensor4D {
  if (!hasOwnKernels) return composedInputGradient(dy, filter, inputShape, stride);
  const attributes = [
    ...kernelAttributes(dy, stride, precision),
    attribute.integer("height", inputShape[1]),
    attribute.integer("width", inputShape[2]),
  ];
  return only(runNative("CascadeConvolveInputGradient", attributes, [dy, filter]));
}

/** Gradient of `convolve` by its filter: -> [k, k, C, C'], float32. */
export function convolveFilterGradient(
  x: Tensor4D,
  dy: Tensor4D,
  filterShape: Tensor4D["shape"],
  stride: number,
  precision: Precision,
): Tensor4D {
  if (!hasOwnKernels) return composedFilterGradient(x, dy, filterShape, stride);
  const attributes = [...kernelAttributes(x, stride, precision), attribute.integer("size", filterShape[0])];
  return tf.tidy(() =>
    only(runNative("CascadeConvolveFilterGradient", attributes, [x, stored(dy, storageOf(x))])),
  );
}

function kernelAttributes(x: Tensor4D, stride: number, precision: Precision) {
  return [
    attribute.storage("T", storageOf(x)),
    attribute.integer("stride", stride),
    attribute.boolean("float64_sums", precision === "exactSums"),
  ];
}

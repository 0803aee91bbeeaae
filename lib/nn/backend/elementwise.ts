import { attribute, type Dtype, dtypeOf, runNative } from "./native-operation.js";
import { type Tensor, type Tensor4D, tf } from "../tensorflow.js";
import { valueAt } from "../timeline.js";

/** Operations on values [N, H, W, C] in float32 or bfloat16, which TensorFlow.js knows for float32 alone. */

/** The single result of a native operation on NHWC values. */
export function only(outputs: readonly Tensor[]): Tensor4D {
  return valueAt(outputs, 0) as Tensor4D;
}

/** The same numbers stored otherwise; x itself where they are stored so already. */
export function cast<X extends Tensor>(x: X, dtype: Dtype): X {
  if (dtypeOf(x) === dtype) return x;
  const attributes = [
    attribute.dtype("SrcT", dtypeOf(x)),
    attribute.dtype("DstT", dtype),
    attribute.boolean("Truncate", false),
  ];
  return valueAt(runNative("Cast", attributes, [x]), 0) as X;
}

/** a + b, stored alike. */
export function add(a: Tensor4D, b: Tensor4D): Tensor4D {
  if (dtypeOf(a) === "float32") return tf.add(a, b);
  return only(runNative("AddV2", [attribute.dtype("T", dtypeOf(a))], [a, b]));
}

export function relu(x: Tensor4D): Tensor4D {
  if (dtypeOf(x) === "float32") return tf.relu(x);
  return only(runNative("Relu", [attribute.dtype("T", dtypeOf(x))], [x]));
}

/** Gradient of `relu`, with y its result. */
export function reluGradient(dy: Tensor4D, y: Tensor4D): Tensor4D {
  if (dtypeOf(y) === "float32") return tf.tidy(() => tf.mul<Tensor4D>(dy, tf.step(y)));
  return only(runNative("ReluGrad", [attribute.dtype("T", dtypeOf(y))], [dy, y]));
}

/** The part of `size` that begins at `begin`. */
export function slice(x: Tensor4D, begin: number[], size: number[]): Tensor4D {
  if (dtypeOf(x) === "float32") return tf.slice(x, begin, size);
  const attributes = [attribute.dtype("T", dtypeOf(x)), attribute.int32Type("Index")];
  return tf.tidy(() =>
    only(runNative("Slice", attributes, [x, tf.tensor1d(begin, "int32"), tf.tensor1d(size, "int32")])),
  );
}

/** Zeros around the map: rows and columns before and after. */
export function pad(x: Tensor4D, rows: [number, number], columns: [number, number]): Tensor4D {
  const widths: [number, number][] = [[0, 0], rows, columns, [0, 0]];
  if (dtypeOf(x) === "float32") return tf.pad(x, widths);
  const attributes = [attribute.dtype("T", dtypeOf(x)), attribute.int32Type("Tpaddings")];
  return tf.tidy(() => only(runNative("Pad", attributes, [x, tf.tensor2d(widths, [4, 2], "int32")])));
}

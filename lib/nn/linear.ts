import { kernels } from "./backend/chosen-kernels.js";
import { type Tensor, type Tensor2D, type Tensor4D, tf } from "./tensorflow.js";

/**
 * y = x weight + bias, x [N, C], weight [C, K], bias [K] -> [N, K]: a convolution of maps of one position, so that its sums
 * are taken in the same order everywhere too.
 */
export function linear(x: Tensor2D, weight: Tensor2D, bias: Tensor): Tensor2D {
  return tf.tidy(() => tf.add(asRows(kernels.convolve(asMaps(x), asFilter(weight), 1, "float32")), bias));
}

interface LinearGradient {
  readonly dx: Tensor2D;
  readonly dweight: Tensor2D;
  readonly dbias: Tensor;
}

/** Gradient of `linear`: dx = dy weight^T, dweight = x^T dy, dbias = sum of dy over the rows. */
export function linearGradient(dy: Tensor2D, x: Tensor2D, weight: Tensor2D): LinearGradient {
  return tf.tidy(() => {
    const [rows, inputs] = x.shape;
    const outputs = dy.shape[1];
    const above = asMaps(dy);
    const byFilter = (maps: Tensor4D, channels: number): Tensor =>
      kernels.convolveFilterGradient(maps, above, [1, 1, channels, outputs], 1, "float32");
    return {
      dx: asRows(kernels.convolveInputGradient(above, asFilter(weight), [rows, 1, 1, inputs], 1, "float32")),
      dweight: tf.reshape(byFilter(asMaps(x), inputs), [inputs, outputs]),
      // The bias is the weight of an input that is always one.
      dbias: tf.reshape(byFilter(tf.ones([rows, 1, 1, 1]), 1), [outputs]),
    };
  }) as LinearGradient;
}

/** [N, C] as N maps of one position; no copy. */
export function asMaps(x: Tensor2D): Tensor4D {
  return tf.reshape(x, [x.shape[0], 1, 1, x.shape[1]]);
}

function asRows(x: Tensor4D): Tensor2D {
  return tf.reshape(x, [x.shape[0], x.shape[3]]);
}

function asFilter(weight: Tensor2D): Tensor4D {
  return tf.reshape(weight, [1, 1, ...weight.shape]);
}

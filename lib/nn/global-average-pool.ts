import { cast } from "./backend/elementwise.js";
import { dtypeOf } from "./backend/native-operation.js";
import { type Tensor2D, type Tensor4D, tf } from "./tensorflow.js";

/** Mean over height and width: [N, H, W, C] -> [N, C]. */
export function globalAveragePool(x: Tensor4D): Tensor2D {
  return tf.tidy(() => tf.mean<Tensor2D>(cast(x, "float32"), [1, 2]));
}

/** Gradient of `globalAveragePool`: [N, C] -> [N, H, W, C], stored as x was. */
export function globalAveragePoolGradient(dy: Tensor2D, x: Tensor4D): Tensor4D {
  return tf.tidy(() => {
    const [rows, height, width, channels] = x.shape;
    const share: Tensor4D = tf.reshape(tf.div(dy, height * width), [rows, 1, 1, channels]);
    return cast(tf.tile(share, [1, height, width, 1]), dtypeOf(x));
  });
}

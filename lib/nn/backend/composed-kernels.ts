import { composedConvolution } from "./composed-convolution.js";
import { composedMerge } from "./composed-merge.js";
import { composedNorm } from "./composed-norm.js";
import { add, pad } from "./elementwise.js";
import type { Kernels } from "./kernels.js";
import { type Tensor, type Tensor4D, tf } from "../tensorflow.js";

/** Everything composed of TensorFlow's own operations, in float32: on a GPU, in JavaScript, or where it is asked for. */
export const composedKernels: Kernels = {
  ...composedConvolution,
  ...composedNorm,
  ...composedMerge,

  add,

  maxPool: (x) => tf.tidy(() => tf.maxPool(padOne(x), 3, 2, "valid")),

  maxPoolGradient: (dy, x, y) =>
    tf.tidy(() => {
      const inputs = { dy, input: padOne(x), output: y };
      const settings = { filterSize: 3, strides: 2, pad: "valid" };
      return tf.slice(
        tf.engine().runKernel<Tensor4D>("MaxPoolGrad", inputs, settings),
        [0, 1, 1, 0],
        x.shape,
      );
    }),

  updateParameters: (updates, { learningRate, momentum, weightDecay }) =>
    updates.map(({ weight, velocity, gradient }) =>
      tf.tidy(() => {
        const decayed = tf.add(gradient, tf.mul(weight, weightDecay));
        const nextVelocity: Tensor =
          velocity === undefined ? tf.clone(decayed) : tf.add(tf.mul(velocity, momentum), decayed);
        const direction = tf.add(decayed, tf.mul(nextVelocity, momentum));
        return { weight: tf.sub(weight, tf.mul(direction, learningRate)), velocity: nextVelocity };
      }),
    ),
};

function padOne(x: Tensor4D): Tensor4D {
  return pad(x, [1, 1], [1, 1]);
}

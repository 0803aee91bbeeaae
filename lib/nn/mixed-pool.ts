import { averagePool } from "./average-pool.js";
import { type Layer, parameter, type Pass, recordGradient, type Sequence } from "./pass.js";
import { type Scalar, type Tensor4D, tf } from "./tensorflow.js";

/**
 * Feature reduction of an internal classifier (Kaya et al. 2019): over windows of side w, stride w, with a trained α,
 *
 *     y = α max(x) + (1 - α) mean(x)
 *
 * x [N, H, W, C] -> [N, H/w, W/w, C]; w is a power of two that divides H and W. Window by window of two, so that sums are
 * taken in the same order everywhere. Where several places hold a window's maximum, each receives its gradient.
 */
export function mixedPool(pass: Pass, alphaName: string, window: number, x: Sequence): Layer {
  const alpha = parameter(pass, alphaName) as Scalar;
  const halvings = Math.log2(window);
  const { largest, average, values } = tf.tidy(() => {
    const pooled = { largest: x.values, average: x.values };
    for (let i = 0; i < halvings; i++) {
      pooled.largest = tf.maxPool(pooled.largest, 2, 2, "valid");
      pooled.average = averagePool(pooled.average);
    }
    const mixed: Tensor4D = tf.add(tf.mul(alpha, pooled.largest), tf.mul(tf.sub(1, alpha), pooled.average));
    return { largest: tf.clone(pooled.largest), average: tf.clone(pooled.average), values: mixed };
  });
  return {
    y: { values, timeline: x.timeline },
    pullback: (dy) => {
      recordGradient(
        pass,
        alphaName,
        tf.tidy(() => tf.reshape(tf.sum(tf.mul(dy, tf.sub(largest, average))), [1])),
      );
      const dx = tf.tidy(() => {
        const isLargest = tf.cast(tf.equal(x.values, repeated(largest, window)), "float32");
        const byLargest = tf.mul(tf.mul(alpha, isLargest), repeated(dy, window));
        const byAverage = tf.mul(tf.div(tf.sub(1, alpha), window ** 2), repeated(dy, window));
        return tf.add<Tensor4D>(byLargest, byAverage);
      });
      tf.dispose([dy, largest, average, values]);
      return dx;
    },
  };
}

/** Every position repeated over a window of side w. */
function repeated(x: Tensor4D, window: number): Tensor4D {
  const [, height, width] = x.shape;
  return tf.image.resizeNearestNeighbor(x, [window * height, window * width]);
}

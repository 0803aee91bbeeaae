import { type Tensor4D, tf } from "./tensorflow.js";

/** Side of the map after `averagePool`. */
export function averagePoolSide(side: number): number {
  return Math.ceil(side / 2);
}

/** 2x2 average pool, stride 2: [N, H, W, C] -> [N, ceil(H/2), ceil(W/2), C]; a window at an odd edge averages what it holds. */
export function averagePool(x: Tensor4D): Tensor4D {
  return tf.avgPool(x, 2, 2, "same");
}

/**
 * Gradient of `averagePool`: each position receives the gradient of its window, divided by the positions that the
 * window holds. dy [N, ceil(H/2), ceil(W/2), C] -> [N, H, W, C] = inputShape.
 */
export function averagePoolGradient(dy: Tensor4D, inputShape: Tensor4D["shape"]): Tensor4D {
  const [, height, width] = inputShape;
  const [, rows, columns] = dy.shape;
  const held = (side: number, i: number): number => Math.min(2, side - 2 * i);
  return tf.tidy(() => {
    const shares = Float32Array.from(
      { length: rows * columns },
      (_, n) => 1 / (held(height, Math.floor(n / columns)) * held(width, n % columns)),
    );
    const share = tf.mul<Tensor4D>(dy, tf.tensor4d(shares, [1, rows, columns, 1]));
    const repeated = tf.image.resizeNearestNeighbor(share, [2 * rows, 2 * columns]);
    return tf.slice(repeated, [0, 0, 0, 0], inputShape);
  });
}

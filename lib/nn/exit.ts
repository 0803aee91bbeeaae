import { type Chain, chainCost, runChain } from "./chain.js";
import { linear, linearGradient } from "./linear.js";
import { type Layer, parameter, type Pass, recordGradient, type Sequence } from "./pass.js";
import { type Tensor1D, type Tensor2D, type Tensor4D, tf } from "./tensorflow.js";

/** An internal classifier: a chain of stages on a value, then a linear layer on all that is left, [h w C] -> [K]. */
export interface Exit {
  readonly name: string;
  /** The node whose value it reads. */
  readonly input: string;
  readonly chain: Chain;
  /** Side of the maps that the linear layer reads, after the chain. */
  readonly side: number;
  readonly channels: number;
}

/** Numbers that the linear layer reads. */
export function exitFeatures({ side, channels }: Exit): number {
  return side ** 2 * channels;
}

/** Logits [B, K] of an exit. The pullback takes their gradient and leaves `x`, which its maker frees. */
export function runExit(pass: Pass, { name, chain }: Exit, x: Sequence): Layer<Float32Array, Float32Array> {
  const reduced = runChain(pass, chain, x);
  const maps = reduced.y.values;
  const features: Tensor2D = tf.reshape(maps, [maps.shape[0], -1]);
  const weight = parameter(pass, `${name}.weight`) as Tensor2D;
  const logits = tf.tidy(() =>
    linear(features, weight, parameter(pass, `${name}.bias`) as Tensor1D).dataSync<"float32">(),
  );
  return {
    y: logits,
    pullback: (dlogits) => {
      const dmaps = tf.tidy((): Tensor4D => {
        const dy = tf.tensor2d(dlogits, [maps.shape[0], weight.shape[1]]);
        const back = linearGradient(dy, features, weight);
        recordGradient(pass, `${name}.weight`, tf.keep(back.dweight));
        recordGradient(pass, `${name}.bias`, tf.keep(back.dbias));
        return tf.reshape(back.dx, maps.shape);
      });
      features.dispose();
      return reduced.pullback(dmaps);
    },
  };
}

/** Multiply-adds of an exit on one image whose value has this side. */
export function exitCost(exit: Exit, side: number, classes: number): number {
  return chainCost(exit.chain, side).cost + exitFeatures(exit) * classes;
}

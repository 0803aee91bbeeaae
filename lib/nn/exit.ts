import { type Chain, chainCost, runChain } from "./chain.js";
import { classify, classifyGradient } from "./classifier.js";
import type { Layer, Pass, Sequence } from "./pass.js";
import { type Tensor2D, type Tensor4D, tf } from "./tensorflow.js";

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
  return {
    y: classify(pass, name, features),
    pullback: (dlogits) => {
      const dmaps = tf.tidy((): Tensor4D =>
        tf.reshape(classifyGradient(pass, name, features, dlogits), maps.shape),
      );
      features.dispose();
      return reduced.pullback(dmaps);
    },
  };
}

/** Multiply-adds of an exit on one image whose value has this side. */
export function exitCost(exit: Exit, side: number, classes: number): number {
  return chainCost(exit.chain, side).cost + exitFeatures(exit) * classes;
}

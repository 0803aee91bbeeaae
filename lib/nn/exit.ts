import { type Chain, chainCost, runChain } from "./chain.js";
import { classify, classifyGradient } from "./classifier.js";
import type { Layer, Pass, Sequence } from "./pass.js";
import { scoped, type Tensor2D, type Tensor4D, tf } from "./tensorflow.js";

/**
 * An internal classifier: a chain of stages on a value, then a linear layer on all that is left, [h w C] -> [K], and, where it
 * has a cascade connection, on the logits of the exit before it.
 */
export interface Exit {
  readonly name: string;
  /** The node whose value it reads. */
  readonly input: string;
  readonly chain: Chain;
  /** Side of the maps that the linear layer reads, after the chain. */
  readonly side: number;
  readonly channels: number;
  /** So many logits of the exit before it are read as well, as numbers that pass no gradient; none where it is left out. */
  readonly logitsBefore?: number | undefined;
}

/** Numbers that the linear layer reads. */
export function exitFeatures({ side, channels, logitsBefore = 0 }: Exit): number {
  return side ** 2 * channels + logitsBefore;
}

/**
 * Logits [B, K] of an exit, given those of the exit before it, [B, K], where it reads them. The pullback takes their
 * gradient and leaves `x`, which its maker frees.
 */
export function runExit(
  pass: Pass,
  { name, chain, logitsBefore }: Exit,
  x: Sequence,
  before: Float32Array | undefined,
): Layer<Float32Array, Float32Array> {
  const reduced = runChain(pass, chain, x);
  const maps = reduced.y.values;
  const [rows, height, width, channels] = maps.shape;
  const own = height * width * channels;
  const features = featuresOf(maps, logitsBefore === undefined ? undefined : before);
  return {
    y: classify(pass, name, features),
    pullback: (dlogits) => {
      const dmaps = tf.tidy((): Tensor4D => {
        const dfeatures = classifyGradient(pass, name, features, dlogits);
        return tf.reshape(tf.slice(dfeatures, [0, 0], [rows, own]), maps.shape);
      });
      features.dispose();
      return reduced.pullback(dmaps);
    },
  };
}

/** Logits [N, K] of the linear layer called `name` on all numbers of maps [N, h, w, C], and on the logits before where given. */
export function classifyMaps(
  pass: Pass,
  name: string,
  maps: Tensor4D,
  before: Float32Array | undefined,
): Float32Array {
  return scoped(() => classify(pass, name, featuresOf(maps, before)));
}

/** [N, h w C], with the logits before [N, K] behind them where given. */
function featuresOf(maps: Tensor4D, before: Float32Array | undefined): Tensor2D {
  const [rows, height, width, channels] = maps.shape;
  return tf.tidy((): Tensor2D => {
    const flat: Tensor2D = tf.reshape(maps, [rows, height * width * channels]);
    if (before === undefined) return flat;
    return tf.concat([flat, tf.tensor2d(before, [rows, before.length / rows])], 1);
  });
}

/** A boosted exit's answer: own + share before, all [B, K]; `own` itself where there is none before it. */
export function boosted(own: Float32Array, share: number, before: Float32Array | undefined): Float32Array {
  if (share === 0 || before === undefined) return own;
  return own.map((value, i) => value + share * (before[i] as number));
}

/** Multiply-adds of an exit on one image whose value has this side. */
export function exitCost(exit: Exit, side: number, classes: number): number {
  return chainCost(exit.chain, side).cost + exitFeatures(exit) * classes;
}

import { linear, linearGradient } from "./linear.js";
import { parameter, type Pass, recordGradient } from "./pass.js";
import { scoped, type Tensor1D, type Tensor2D, tf } from "./tensorflow.js";

/** Logits [N, K], row-major, of the linear layer called `name` on features [N, C]: plain numbers, as losses and traces take them. */
export function classify(pass: Pass, name: string, features: Tensor2D): Float32Array {
  // Not tf.tidy, which looks for tensors among the numbers.
  return scoped(() => linear(features, weightOf(pass, name), biasOf(pass, name)).dataSync<"float32">());
}

/** Gradient of `classify` by the features, from that of its logits; those of weight and bias go into the pass. */
export function classifyGradient(
  pass: Pass,
  name: string,
  features: Tensor2D,
  dlogits: Float32Array,
): Tensor2D {
  return tf.tidy(() => {
    const dy = tf.tensor2d(dlogits, [features.shape[0], classesOf(pass, name)]);
    const back = linearGradient(dy, features, weightOf(pass, name));
    recordGradient(pass, `${name}.weight`, tf.keep(back.dweight));
    recordGradient(pass, `${name}.bias`, tf.keep(back.dbias));
    return back.dx;
  });
}

/** Classes K of the linear layer called `name`. */
export function classesOf(pass: Pass, name: string): number {
  return biasOf(pass, name).shape[0];
}

function weightOf(pass: Pass, name: string): Tensor2D {
  return parameter(pass, `${name}.weight`) as Tensor2D;
}

function biasOf(pass: Pass, name: string): Tensor1D {
  return parameter(pass, `${name}.bias`) as Tensor1D;
}

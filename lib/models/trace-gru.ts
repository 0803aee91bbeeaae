import { scoped, type Tensor, type Tensor2D, tf } from "../nn/tensorflow.js";
import { argmaxRow } from "../util/softmax.js";
import type { Trace } from "../trace/trace.js";

/**
 * A gated recurrent unit that follows an output trace and says at each timestep how probable something is: that the
 * network's answer is right, or that its image is of a kind the network was not trained on (Cho et al. 2014, in the
 * form that resets after the recurrent product, as cuDNN's). With input x[t] [F], state h[t] [H], h[-1] = 0:
 *
 *     r = σ(x[t] W_r + b_r + h[t-1] U_r + c_r)
 *     z = σ(x[t] W_z + b_z + h[t-1] U_z + c_z)
 *     n = tanh(x[t] W_n + b_n + r ∘ (h[t-1] U_n + c_n))
 *     h[t] = (1 - z) ∘ n + z ∘ h[t-1]
 *     p[t] = σ(h[t] v + a)
 *
 * Plain data: kept beside analyses as JSON.
 */
export interface TraceGru {
  /** F */
  readonly inputs: number;
  /** H */
  readonly hidden: number;
  /** Inputs are shifted and scaled by these, [F] each. */
  readonly shift: readonly number[];
  readonly scale: readonly number[];
  readonly weights: GruWeights<readonly number[]>;
}

/** The weights, row-major. The gates stand side by side: r, z, n. */
export interface GruWeights<Values> {
  /** W [F, 3H] */
  readonly kernel: Values;
  /** b [3H] */
  readonly bias: Values;
  /** U [H, 3H] */
  readonly recurrentKernel: Values;
  /** c [3H] */
  readonly recurrentBias: Values;
  /** v [H, 1] */
  readonly readout: Values;
  /** a [1] */
  readonly readoutBias: Values;
}

export type GruWeightName = keyof GruWeights<unknown>;

export const GRU_WEIGHT_NAMES = [
  "kernel",
  "bias",
  "recurrentKernel",
  "recurrentBias",
  "readout",
  "readoutBias",
] as const satisfies readonly GruWeightName[];

/** Shape of each weight. */
export function gruWeightShape(name: GruWeightName, inputs: number, hidden: number): number[] {
  const shapes: GruWeights<number[]> = {
    kernel: [inputs, 3 * hidden],
    bias: [3 * hidden],
    recurrentKernel: [hidden, 3 * hidden],
    recurrentBias: [3 * hidden],
    readout: [hidden, 1],
    readoutBias: [1],
  };
  return shapes[name];
}

/** The rows that a GRU reads, for each timestep and example. */
export interface GruInputs {
  /** T */
  readonly timesteps: number;
  /** N */
  readonly examples: number;
  /** F */
  readonly features: number;
  /** [T, N, F] */
  readonly values: Float32Array;
}

/**
 * What is read of a trace, 2K + 1 features at each timestep: the logits less their largest in the order of the
 * classes, the same from largest to smallest, and the largest logit itself. The first say which class is believed
 * in, the second how much whatever the class, the third keeps the level that a softmax would lose.
 */
export function gruInputs({ timesteps, examples, classes: K, logits }: Trace): GruInputs {
  const features = 2 * K + 1;
  const values = new Float32Array(timesteps * examples * features);
  for (let row = 0; row < timesteps * examples; row++) {
    const largest = logits[row * K + argmaxRow(logits, row * K, K)] as number;
    const below = Float32Array.from(logits.subarray(row * K, (row + 1) * K), (logit) => logit - largest);
    values.set(below, row * features);
    values.set(below.sort().reverse(), row * features + K);
    values[row * features + 2 * K] = largest;
  }
  return { timesteps, examples, features, values };
}

/** Log odds of p[t] from inputs [T, N, F] that are shifted and scaled already: [T, N]. */
export function gruLogOdds(weights: GruWeights<Tensor>, inputs: Tensor): Tensor2D {
  const [T = 0, N = 0, F = 0] = inputs.shape;
  const [H = 0] = weights.readout.shape;
  const products = tf.add(
    tf.matMul(inputs.reshape<Tensor2D>([T * N, F]), weights.kernel as Tensor2D),
    weights.bias,
  );
  // tfjs cannot differentiate a split into one part.
  const fed: Tensor[] = T === 1 ? [products] : tf.split(products, T, 0);
  let h: Tensor = tf.zeros([N, H]);
  const states = fed.map((fromInput) => {
    const fromState = tf.add(
      tf.matMul(h as Tensor2D, weights.recurrentKernel as Tensor2D),
      weights.recurrentBias,
    );
    const [inputR, inputZ, inputN] = tf.split(fromInput, 3, 1) as [Tensor, Tensor, Tensor];
    const [stateR, stateZ, stateN] = tf.split(fromState, 3, 1) as [Tensor, Tensor, Tensor];
    const r = tf.sigmoid(tf.add(inputR, stateR));
    const z = tf.sigmoid(tf.add(inputZ, stateZ));
    const n = tf.tanh(tf.add(inputN, tf.mul(r, stateN)));
    h = tf.add(n, tf.mul(z, tf.sub(h, n)));
    return h;
  });
  const all = tf.concat(states as Tensor2D[], 0);
  return tf.add(tf.matMul(all, weights.readout as Tensor2D), weights.readoutBias).reshape([T, N]);
}

/** (x - shift) / scale of each feature, as a tensor [T, N, F]. */
export function standardizedInputs(
  { timesteps, examples, features, values }: GruInputs,
  { shift, scale }: Pick<TraceGru, "shift" | "scale">,
): Tensor {
  const raw = tf.tensor3d(values, [timesteps, examples, features]);
  return tf.div(tf.sub(raw, tf.tensor1d([...shift])), tf.tensor1d([...scale]));
}

/** The probabilities p [T, N] that a trained GRU gives for a trace; p[t] depends on timesteps up to t alone. */
export function gruProbabilities(gru: TraceGru, inputs: GruInputs): Float64Array {
  return scoped(() => {
    const tensors = Object.fromEntries(
      GRU_WEIGHT_NAMES.map((name) => [
        name,
        tf.tensor([...gru.weights[name]], gruWeightShape(name, gru.inputs, gru.hidden), "float32"),
      ]),
    ) as unknown as GruWeights<Tensor>;
    const odds = gruLogOdds(tensors, standardizedInputs(inputs, gru)).dataSync();
    return Float64Array.from(odds, (value) => 1 / (1 + Math.exp(-value)));
  });
}

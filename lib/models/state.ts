import { type AnytimeNetwork, normNames, tensorSpecs } from "./anytime-network.js";
import { isStatistic, type TensorSpec } from "./tensor-spec.js";
import { foldNorm } from "../nn/temporal-batch-norm.js";
import type { Precision } from "../nn/backend/kernels.js";
import { type Tensor, tf } from "../nn/tensorflow.js";
import type { EvaluationPass, NamedTensors } from "../nn/pass.js";
import { randomStream } from "../util/random.js";

/** Parameters and running statistics: state in, state out. */
export interface NetworkState {
  readonly parameters: NamedTensors;
  readonly statistics: NamedTensors;
}

/** Plain numbers of a named tensor. */
export interface NamedValues {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Makes a state from plain numbers; every tensor of the network must be there in its shape. */
export function stateFrom(
  network: AnytimeNetwork,
  valuesOf: (tensor: TensorSpec) => Float32Array,
): NetworkState {
  const parameters = new Map<string, Tensor>();
  const statistics = new Map<string, Tensor>();
  for (const tensor of tensorSpecs(network)) {
    (isStatistic(tensor) ? statistics : parameters).set(
      tensor.name,
      tf.tensor(valuesOf(tensor), [...tensor.shape]),
    );
  }
  return { parameters, statistics };
}

/**
 * The state before training: filters Kaiming-normal by fan-out, N(0, 2 / (k^2 C')); linear weight and bias uniform
 * within 1 / sqrt(features); mixing of pools uniform from 0 to 1; scale 1, offset 0, mean 0, variance 1. Each tensor has a random stream of its own, so
 * that equal names start equal in every model of the same seed.
 */
export function initialState(network: AnytimeNetwork, seed: number): NetworkState {
  return stateFrom(network, (tensor) => {
    const values = new Float32Array(tensor.shape.reduce((a, b) => a * b, 1));
    const stream = randomStream(seed, `init/${tensor.name}`);
    if (tensor.role === "filter") {
      const [size = 1, , , outputs = 1] = tensor.shape;
      const deviation = Math.sqrt(2 / (size * size * outputs));
      for (let i = 0; i < values.length; i++) values[i] = deviation * stream.normal();
    } else if (tensor.role === "linear" || tensor.role === "bias") {
      const bound = 1 / Math.sqrt(tensor.fanIn ?? 1);
      for (let i = 0; i < values.length; i++) values[i] = bound * (2 * stream.uniform() - 1);
    } else if (tensor.role === "mixing") {
      for (let i = 0; i < values.length; i++) values[i] = stream.uniform();
    } else {
      values.fill(tensor.role === "scale" || tensor.role === "variance" ? 1 : 0);
    }
    return values;
  });
}

/** Every tensor of a state as plain numbers, by name. */
export function stateValues(state: NetworkState): Map<string, NamedValues> {
  return new Map(
    [...state.parameters, ...state.statistics].map(([name, tensor]) => [
      name,
      { shape: tensor.shape, values: tensor.dataSync<"float32">() },
    ]),
  );
}

/** Frees the tensors of a state, which is of no use afterwards. */
export function disposeState(state: NetworkState): void {
  tf.dispose([...state.parameters.values(), ...state.statistics.values()]);
}

/**
 * Makes a state ready for evaluation: each batch norm becomes a gain and a bias for each timestep and channel,
 * from its running statistics.
 */
export function evaluationPass(
  network: AnytimeNetwork,
  state: NetworkState,
  precision: Precision = "float32",
): EvaluationPass {
  const norms = new Map(
    normNames(network).map((name) => [
      name,
      foldNorm(state.parameters, state.statistics, name, network.spec.norm),
    ]),
  );
  return { kind: "evaluation", precision, parameters: state.parameters, norms, opened: new Map() };
}

/** Frees what `evaluationPass` made; the state itself stays. */
export function disposeEvaluationPass(pass: EvaluationPass): void {
  for (const norm of pass.norms.values()) tf.dispose([norm.gain, norm.bias]);
  for (const program of pass.opened.values()) program.dispose();
  pass.opened.clear();
}

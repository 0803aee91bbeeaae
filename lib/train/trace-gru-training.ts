import {
  GRU_WEIGHT_NAMES,
  type GruInputs,
  gruLogOdds,
  type GruWeightName,
  type GruWeights,
  gruWeightShape,
  standardizedInputs,
  type TraceGru,
} from "../models/trace-gru.js";
import { type Scalar, scoped, type Tensor, tf, type Variable } from "../nn/tensorflow.js";
import { UserError } from "../util/errors.js";
import { randomStream } from "../util/random.js";

/** How large a GRU is and how it learns. */
export interface GruTrainingSettings {
  /** H */
  readonly hidden: number;
  readonly epochs: number;
  readonly batchSize: number;
  /** Of Adam. */
  readonly learningRate: number;
  /** Names the random streams of first weights and order. */
  readonly seed: number;
}

/** What a GRU learns from: inputs [T, N, F] and targets [T, N] of 0 and 1. */
export interface GruExamples {
  readonly inputs: GruInputs;
  readonly targets: ArrayLike<number>;
}

/** A GRU with the weights of its best epoch, and how the epochs compare. */
export interface TrainedGru {
  readonly gru: TraceGru;
  /** Of the weights that were kept; counted from 1. */
  readonly epoch: number;
  /** Loss on the selection examples after each epoch. */
  readonly selectionLoss: readonly number[];
}

/**
 * Trains a GRU on traces by Adam on the mean binary cross-entropy over all timesteps and examples,
 *
 *     1/(T N) Σ_t Σ_n -y[t, n] log p[t, n] - (1 - y[t, n]) log(1 - p[t, n]),
 *
 * on `fit`, and keeps the weights of the epoch with the least loss on `selection`. The same seed gives the same GRU.
 */
export function trainTraceGru(
  fit: GruExamples,
  selection: GruExamples,
  settings: GruTrainingSettings,
): TrainedGru {
  checkExamples(fit);
  checkExamples(selection);
  const { epochs, learningRate, hidden } = settings;
  const standard = standardOf(fit.inputs);
  const variables = firstVariables(fit.inputs.features, settings);
  const optimizer = tf.train.adam(learningRate);
  const selectionLoss: number[] = [];
  let weights = valuesOf(variables);
  try {
    scoped(() => {
      const fitted = tensorsOf(fit, standard);
      const held = tensorsOf(selection, standard);
      for (let epoch = 1; epoch <= epochs; epoch++) {
        for (const batch of batchesOf(fit.inputs.examples, epoch, settings)) {
          scoped(() => {
            const rows = tf.tensor1d(batch, "int32");
            const [x, y] = [tf.gather(fitted.x, rows, 1), tf.gather(fitted.y, rows, 1)];
            const { grads } = tf.variableGrads(() => crossEntropy(variables, x, y), Object.values(variables));
            optimizer.applyGradients(Object.entries(grads).map(([name, tensor]) => ({ name, tensor })));
          });
        }
        const loss = scoped(() => crossEntropy(variables, held.x, held.y).dataSync()[0] as number);
        if (loss < Math.min(...selectionLoss)) weights = valuesOf(variables);
        selectionLoss.push(loss);
      }
    });
  } finally {
    optimizer.dispose();
    for (const variable of Object.values(variables)) variable.dispose();
  }
  const epoch = selectionLoss.indexOf(Math.min(...selectionLoss)) + 1;
  return { gru: { inputs: fit.inputs.features, hidden, ...standard, weights }, epoch, selectionLoss };
}

type Variables = Record<GruWeightName, Variable>;

/** Uniform within ±1/sqrt(H), offsets zero: each weight from a random stream of its own. */
function firstVariables(inputs: number, { hidden, seed }: GruTrainingSettings): Variables {
  const spread = 1 / Math.sqrt(hidden);
  const first = (name: GruWeightName): Variable => {
    const shape = gruWeightShape(name, inputs, hidden);
    const stream = randomStream(seed, `trace-gru/init/${name}`);
    const isOffset = shape.length === 1;
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () =>
      isOffset ? 0 : spread * (2 * stream.uniform() - 1),
    );
    return scoped(() => tf.variable(tf.tensor(values, shape)));
  };
  return Object.fromEntries(GRU_WEIGHT_NAMES.map((name) => [name, first(name)])) as Variables;
}

function valuesOf(variables: Variables): TraceGru["weights"] {
  return Object.fromEntries(
    GRU_WEIGHT_NAMES.map((name) => [name, [...variables[name].dataSync()]]),
  ) as unknown as GruWeights<number[]>;
}

/** Mean and standard deviation of each feature, over timesteps and examples; a constant feature keeps its scale. */
function standardOf({ features: F, values }: GruInputs): Pick<TraceGru, "shift" | "scale"> {
  const rows = values.length / F;
  const shift = new Array<number>(F).fill(0);
  const scale = new Array<number>(F).fill(0);
  values.forEach((value, i) => (shift[i % F] = (shift[i % F] as number) + value / rows));
  values.forEach((value, i) => {
    const deviation = value - (shift[i % F] as number);
    scale[i % F] = (scale[i % F] as number) + deviation ** 2 / rows;
  });
  return { shift, scale: scale.map((variance) => (variance > 0 ? Math.sqrt(variance) : 1)) };
}

function tensorsOf({ inputs, targets }: GruExamples, standard: Pick<TraceGru, "shift" | "scale">) {
  const { timesteps, examples } = inputs;
  return {
    x: standardizedInputs(inputs, standard),
    y: tf.tensor2d(Float32Array.from(targets), [timesteps, examples]),
  };
}

function crossEntropy(weights: GruWeights<Tensor>, x: Tensor, y: Tensor): Scalar {
  return tf.losses.sigmoidCrossEntropy(y, gruLogOdds(weights, x));
}

function* batchesOf(examples: number, epoch: number, { batchSize, seed }: GruTrainingSettings) {
  const order = randomStream(seed, `trace-gru/shuffle/${epoch}`).permutation(examples);
  for (let first = 0; first < examples; first += batchSize) yield order.subarray(first, first + batchSize);
}

function checkExamples({ inputs, targets }: GruExamples): void {
  const expected = inputs.timesteps * inputs.examples;
  if (targets.length === expected && expected > 0) return;
  throw new UserError(
    `a GRU learns from ${targets.length} targets, but T x N = ${inputs.timesteps} x ${inputs.examples}`,
  );
}

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  GRU_WEIGHT_NAMES,
  gruInputs,
  gruProbabilities,
  type GruInputs,
  gruWeightShape,
  type GruWeights,
  type TraceGru,
} from "../../lib/models/trace-gru.js";
import { tf } from "../../lib/nn/tensorflow.js";
import { recipeTrace } from "../../lib/experiments/parity/recipe-trace.js";
import { randomStream } from "../../lib/util/random.js";
import { traceOfProbabilities } from "../trace/made-traces.js";

const { trace } = recipeTrace(5, 7, 3);
const inputs = gruInputs(trace);

function randomGru(features: number, hidden: number): TraceGru {
  const stream = randomStream(1, "a GRU");
  const draw = (length: number): number[] => Array.from({ length }, () => stream.normal());
  const weights = Object.fromEntries(
    GRU_WEIGHT_NAMES.map((name) => [
      name,
      draw(gruWeightShape(name, features, hidden).reduce((a, b) => a * b)),
    ]),
  ) as unknown as GruWeights<number[]>;
  const scale = draw(features).map((value) => 1 + Math.abs(value));
  return { inputs: features, hidden, shift: draw(features), scale, weights };
}

/** The equations, one number at a time. */
function plainGru({ hidden: H, shift, scale, weights: w }: TraceGru, read: GruInputs): number[] {
  const { timesteps, examples, features: F, values } = read;
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
  const probabilities: number[] = [];
  const states = Array.from({ length: examples }, () => new Array<number>(H).fill(0));
  for (let t = 0; t < timesteps; t++) {
    states.forEach((h, n) => {
      const x = Array.from(
        { length: F },
        (_, f) =>
          ((values[(t * examples + n) * F + f] as number) - (shift[f] as number)) / (scale[f] as number),
      );
      const product = (
        row: readonly number[],
        matrix: readonly number[],
        offset: readonly number[],
        j: number,
      ) =>
        row.reduce((sum, value, i) => sum + value * (matrix[i * 3 * H + j] as number), offset[j] as number);
      const input = (gate: number, j: number) => product(x, w.kernel, w.bias, gate * H + j);
      const state = (gate: number, j: number) => product(h, w.recurrentKernel, w.recurrentBias, gate * H + j);
      const next = h.map((before, j) => {
        const r = sigmoid(input(0, j) + state(0, j));
        const z = sigmoid(input(1, j) + state(1, j));
        return (1 - z) * Math.tanh(input(2, j) + r * state(2, j)) + z * before;
      });
      states[n] = next;
      probabilities.push(
        sigmoid(
          next.reduce((sum, value, j) => sum + value * (w.readout[j] as number), w.readoutBias[0] as number),
        ),
      );
    });
  }
  return probabilities;
}

test("the GRU is its equations, and leaves no tensors behind", () => {
  const gru = randomGru(inputs.features, 4);
  const before = tf.memory().numTensors;
  const probabilities = gruProbabilities(gru, inputs);
  assert.equal(tf.memory().numTensors, before);
  plainGru(gru, inputs).forEach((expected, row) => {
    assert.ok(Math.abs((probabilities[row] as number) - expected) < 1e-5);
  });
});

test("what it says at t depends on no later timestep, and on earlier ones", () => {
  const gru = randomGru(inputs.features, 4);
  const original = gruProbabilities(gru, inputs);
  for (let changed = 0; changed < trace.timesteps; changed++) {
    const logits = trace.logits.map((logit, i) =>
      Math.floor(i / (trace.examples * trace.classes)) === changed ? -2 * logit + (i % 3) : logit,
    );
    const other = gruProbabilities(gru, gruInputs({ ...trace, logits }));
    original.forEach((value, row) => {
      const t = Math.floor(row / trace.examples);
      if (t < changed) assert.equal(other[row], value);
      else assert.notEqual(other[row], value);
    });
  }
});

test("it reads the logits below their largest, the same in order, and the largest", () => {
  const one = traceOfProbabilities([[[0.25, 0.5, 0.25]]], [0]);
  const raised = { ...one, logits: one.logits.map((logit) => logit + Math.log(16)) };
  const half = -Math.log(2);
  assert.deepEqual(gruInputs(raised).values, Float32Array.of(half, 0, half, 0, half, half, 3 * Math.log(2)));
});

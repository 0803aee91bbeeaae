import assert from "node:assert/strict";
import { test } from "node:test";
import { type GruInputs, gruLogOdds, gruProbabilities, type GruWeights } from "../../lib/models/trace-gru.js";
import { type Tensor, tf } from "../../lib/nn/tensorflow.js";
import { auroc } from "../../lib/trace/auroc.js";
import { type GruExamples, trainTraceGru } from "../../lib/train/trace-gru-training.js";
import { UserError } from "../../lib/util/errors.js";
import { randomStream } from "../../lib/util/random.js";

/**
 * One feature over four timesteps; whether something is true is told at the first by its sign, and never again. The
 * rest is noise, so that only memory solves the later timesteps.
 */
function rememberedSign(count: number, name: string): GruExamples & { readonly inputs: GruInputs } {
  const stream = randomStream(0, name);
  const [T, N] = [4, count];
  const signs = Array.from({ length: N }, () => (stream.uniform() < 0.5 ? 0 : 1));
  const values = Float32Array.from({ length: T * N }, (_, row) =>
    row < N ? 2 * (signs[row] as number) - 1 + 0.3 * stream.normal() : 0.5 * stream.normal(),
  );
  const targets = Uint8Array.from({ length: T * N }, (_, row) => signs[row % N] as number);
  return { inputs: { timesteps: T, examples: N, features: 1, values }, targets };
}

const settings = { hidden: 6, epochs: 12, batchSize: 50, learningRate: 0.03, seed: 2 };
const fit = rememberedSign(300, "fit");
const selection = rememberedSign(100, "selection");

test("learns to remember, the same way each time, and leaves no tensors behind", () => {
  const before = tf.memory().numTensors;
  const trained = trainTraceGru(fit, selection, settings);
  assert.equal(tf.memory().numTensors, before);
  assert.deepEqual(trainTraceGru(fit, selection, settings), trained);
  const other = trainTraceGru(fit, selection, { ...settings, epochs: 1, seed: 3 });
  assert.notDeepEqual(
    other.gru.weights,
    trainTraceGru(fit, selection, { ...settings, epochs: 1 }).gru.weights,
  );

  const unseen = rememberedSign(200, "test");
  const probabilities = gruProbabilities(trained.gru, unseen.inputs);
  assert.ok(auroc(probabilities.subarray(600), Array.from(unseen.targets).slice(600)) > 0.99);

  // The weights that it gives back are those of the epoch with the least loss on the selection examples.
  const loss = meanCrossEntropy(gruProbabilities(trained.gru, selection.inputs), selection.targets);
  assert.equal(trained.selectionLoss.length, 12);
  assert.ok(Math.abs(loss - Math.min(...trained.selectionLoss)) < 1e-5);
  assert.ok(Math.abs(loss - (trained.selectionLoss[trained.epoch - 1] as number)) < 1e-5);
});

function meanCrossEntropy(probabilities: Float64Array, targets: ArrayLike<number>): number {
  return (
    probabilities.reduce((sum, p, row) => sum - Math.log(targets[row] === 1 ? p : 1 - p), 0) /
    probabilities.length
  );
}

test("gradients through time equal finite differences", () => {
  const stream = randomStream(4, "gradients");
  const draw = (shape: number[]): Tensor =>
    tf.tensor(
      Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => 0.7 * stream.normal()),
      shape,
    );
  tf.tidy(() => {
    const [F, H] = [2, 3];
    const shapes = [[F, 3 * H], [3 * H], [H, 3 * H], [3 * H], [H, 1], [1]];
    const weights = shapes.map(draw);
    const x = draw([4, 5, F]);
    const value = (...w: Tensor[]): Tensor => {
      const [kernel, bias, recurrentKernel, recurrentBias, readout, readoutBias] = w;
      const named = { kernel, bias, recurrentKernel, recurrentBias, readout, readoutBias };
      return tf.sum(tf.square(gruLogOdds(named as GruWeights<Tensor>, x)));
    };
    const gradients = tf.grads(value)(weights);
    const h = 1e-2;
    weights.forEach((weight, i) => {
      const direction = draw(weight.shape);
      const moved = (step: number): number =>
        value(
          ...weights.map((w, j) => (i === j ? tf.add(w, tf.mul(direction, step)) : w)),
        ).dataSync()[0] as number;
      const difference = (moved(h) - moved(-h)) / (2 * h);
      const slope = tf.sum(tf.mul(gradients[i] as Tensor, direction)).dataSync()[0] as number;
      assert.ok(
        Math.abs(difference - slope) < 0.01 * Math.max(1, Math.abs(slope)),
        `${i}: ${difference} ${slope}`,
      );
    });
  });
});

test("targets of another shape are refused", () => {
  assert.throws(() => trainTraceGru({ ...fit, targets: [1, 0] }, selection, settings), UserError);
});

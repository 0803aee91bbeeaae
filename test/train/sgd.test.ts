import assert from "node:assert/strict";
import { test } from "node:test";
import type { NamedTensors } from "../../lib/nn/pass.js";
import { tf } from "../../lib/nn/tensorflow.js";
import { sgdStep } from "../../lib/train/sgd.js";

const SETTINGS = { learningRate: 0.1, momentum: 0.9, weightDecay: 0.5 };

test("three steps of Nesterov momentum with weight decay, by hand", () => {
  // w = 1; gradients 0.5, -1, 0.
  //   g = 0.5 + 0.5 = 1           v = 1          w = 1 - 0.1 (1 + 0.9) = 0.81
  //   g = -1 + 0.405 = -0.595     v = 0.305      w = 0.81 - 0.1 (-0.595 + 0.2745) = 0.84205
  //   g = 0 + 0.421025            v = 0.695525   w = 0.84205 - 0.1 (0.421025 + 0.6259725) = 0.73735025
  let parameters: NamedTensors = new Map([["w", tf.tensor1d([1])]]);
  let velocities: NamedTensors = new Map();
  const seen = [0.5, -1, 0].map((gradient) => {
    ({ parameters, velocities } = sgdStep(
      parameters,
      velocities,
      new Map([["w", tf.tensor1d([gradient])]]),
      SETTINGS,
    ));
    return parameters.get("w")?.dataSync()[0] ?? NaN;
  });
  for (const [i, expected] of [0.81, 0.84205, 0.73735025].entries())
    assert.ok(Math.abs((seen[i] ?? NaN) - expected) < 1e-6, `step ${i}: ${String(seen[i])}`);
  tf.dispose([...parameters.values(), ...velocities.values()]);
});

test("a parameter without gradient stays as it is, to the last bit; a gradient without parameter is refused", () => {
  const before = tf.memory().numTensors;
  const idle = tf.tensor1d([Math.fround(0.1), -3e-30]);
  const next = sgdStep(
    new Map([
      ["idle", idle],
      ["moved", tf.tensor1d([1])],
    ]),
    new Map(),
    new Map([["moved", tf.tensor1d([1])]]),
    SETTINGS,
  );
  assert.equal(next.parameters.get("idle"), idle);
  assert.deepEqual([...idle.dataSync()], [Math.fround(0.1), Math.fround(-3e-30)]);
  assert.deepEqual([...next.velocities.keys()], ["moved"]);
  tf.dispose([...next.parameters.values(), ...next.velocities.values()]);
  assert.equal(tf.memory().numTensors, before);
  tf.tidy(() => {
    const gradients = new Map([["stray", tf.tensor1d([1])]]);
    assert.throws(() => sgdStep(new Map(), new Map(), gradients, SETTINGS), /"stray"/);
  });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { BENCHMARK_CASES } from "../../../lib/experiments/benchmark/benchmark.js";
import { kindOfOperation, TIME_KINDS, timeShares } from "../../../lib/experiments/benchmark/time-shares.js";
import { hasOwnKernels } from "../../../lib/nn/backend/kernel-level.js";
import { timeOperations } from "../../../lib/nn/backend/native-operation.js";
import { isNative, tf } from "../../../lib/nn/tensorflow.js";

test("operations are timed by name, and only while asked for", (context) => {
  if (!isNative) {
    context.skip("there is no native TensorFlow here");
    return;
  }
  const square = (): void => {
    tf.tidy(() => tf.square(tf.tensor1d([1, 2, 3])).dataSync());
  };
  const spent = timeOperations(() => {
    square();
    square();
  });
  assert.deepEqual([...spent.keys()], ["Square"]);
  assert.ok((spent.get("Square") ?? -1) > 0);
  assert.throws(
    () =>
      timeOperations(() => {
        throw new Error("stop");
      }),
    /stop/,
  );
  square();
  assert.deepEqual([...spent.keys()], ["Square"]);
});

test("every operation has a kind; the shares of a case are whole and come from its own work", (context) => {
  assert.deepEqual(
    ["Conv2DBackpropFilter", "CascadeConvolveFilterGradient", "CascadeNormalizeGradient", "CascadeMerge"].map(
      kindOfOperation,
    ),
    ["convolution", "convolution", "normalization", "delay and pooling"],
  );
  assert.equal(kindOfOperation("Cast"), "other");
  const [first] = BENCHMARK_CASES;
  if (!hasOwnKernels || first === undefined) {
    context.skip("the project's own kernels are not compiled");
    return;
  }
  const before = tf.memory().numTensors;
  // Up to 16 images are evaluated in one operation a timestep, which no kind has to itself.
  const [training, evaluation] = timeShares({ ...first, width: 0.0625, batch: 17 }, 1);
  assert.equal(tf.memory().numTensors, before);
  for (const share of [training, evaluation]) {
    assert.deepEqual(Object.keys(share?.milliseconds ?? {}), [...TIME_KINDS]);
    assert.ok((share?.milliseconds.convolution ?? 0) > 0);
    assert.ok((share?.milliseconds.idle ?? -1) >= 0);
  }
  assert.ok((training?.milliseconds.normalization ?? 0) > 0);
  // In evaluation the norms are folded into the convolutions.
  assert.equal(evaluation?.milliseconds.normalization, 0);
});

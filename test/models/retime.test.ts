import assert from "node:assert/strict";
import { test } from "node:test";
import { tensorSpecs } from "../../lib/models/anytime-network.js";
import { cascadedResNet, type CascadedResNetSpec } from "../../lib/models/cascaded-resnet.js";
import { retimedState } from "../../lib/models/retime.js";
import { disposeState, type NamedValues, stateValues } from "../../lib/models/state.js";
import { isStatistic } from "../../lib/models/tensor-spec.js";
import { tf } from "../../lib/nn/tensorflow.js";
import { tinySpec } from "./oracle-cases.js";

/** Every value tells its tensor and place, so that rows can be told apart. */
function numbered(spec: CascadedResNetSpec): Map<string, NamedValues> {
  return new Map(
    tensorSpecs(cascadedResNet(spec)).map(({ name, shape }, i) => {
      const length = shape.reduce((a, b) => a * b, 1);
      return [name, { shape, values: Float32Array.from({ length }, (_, j) => i + j / length) }];
    }),
  );
}

/** [T, C] as T rows of C values. */
function rows({ shape, values }: NamedValues): number[][] {
  const [timesteps = 1, channels = values.length] = shape;
  return Array.from({ length: timesteps }, (_, t) => [...values.subarray(t * channels, (t + 1) * channels)]);
}

function assertRetimed(trained: CascadedResNetSpec, wanted: CascadedResNetSpec): void {
  const values = numbered(trained);
  const network = cascadedResNet(wanted);
  const tensors = tf.memory().numTensors;
  const state = retimedState(network, values);
  const retimed = stateValues(state);
  disposeState(state);
  assert.equal(tf.memory().numTensors, tensors);
  for (const tensor of tensorSpecs(network)) {
    const { name, role, shape } = tensor;
    const before = values.get(name);
    const after = retimed.get(name);
    assert.ok(before !== undefined && after !== undefined, name);
    assert.deepEqual(after.shape, shape);
    const timed =
      isStatistic(tensor) || (wanted.norm.temporalAffine && (role === "scale" || role === "offset"));
    if (!timed) {
      assert.deepEqual(after.values, before.values, name);
      continue;
    }
    const given = rows(before);
    const expected = Array.from({ length: network.timesteps }, (_, t) => given[t] ?? given.at(-1));
    assert.deepEqual(rows(after), expected, name);
  }
}

test("beyond the trained timesteps the last row holds; before them the first rows do", () => {
  for (const temporalAffine of [false, true])
    for (const [trained, wanted] of [
      [9, 12],
      [9, 9],
      [9, 4],
      [2, 5],
    ] as const) {
      const norm = { epsilon: 1e-5, momentum: 0.1, temporalAffine };
      assertRetimed(tinySpec({ norm, timesteps: trained }), tinySpec({ norm, timesteps: wanted }));
    }
});

test("an ordinary network's single row serves all timesteps of its cascade and its serial run", () => {
  for (const temporalAffine of [false, true])
    for (const kind of ["parallel", "serial"] as const) {
      const norm = { epsilon: 1e-5, momentum: 0.1, temporalAffine };
      const ordinary = tinySpec({
        norm,
        timesteps: 1,
        scheme: { kind: "parallel", delay: { kind: "none" } },
      });
      assertRetimed(ordinary, tinySpec({ norm, scheme: { kind, delay: { kind: "oneStepDelay" } } }));
    }
});

test("numbers that lack a tensor are refused by its name", () => {
  const values = numbered(tinySpec());
  values.delete("head.bias");
  tf.engine().startScope();
  assert.throws(() => retimedState(cascadedResNet(tinySpec()), values), /"head\.bias"/);
  tf.engine().endScope();
});

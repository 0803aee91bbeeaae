import assert from "node:assert/strict";
import { test } from "node:test";
import { cascadedResNet, type CascadedResNetSpec } from "../../lib/models/cascaded-resnet.js";
import { disposeState, initialState, type NamedValues, stateValues } from "../../lib/models/state.js";
import { tinySpec } from "./oracle-cases.js";

function initialValues(spec: CascadedResNetSpec, seed: number): Map<string, NamedValues> {
  const state = initialState(cascadedResNet(spec), seed);
  const values = stateValues(state);
  disposeState(state);
  return values;
}

function moments(values: Float32Array): { mean: number; variance: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return { mean, variance: values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length };
}

test("the first state depends on the seed alone, and equal names start equal in every model", () => {
  const values = initialValues(tinySpec(), 3);
  assert.deepEqual(initialValues(tinySpec(), 3), values);
  const name = "stages.2.0.conv1.weight";
  assert.notDeepEqual(initialValues(tinySpec(), 4).get(name), values.get(name));
  assert.notDeepEqual(values.get("stages.2.1.conv2.weight"), values.get("stages.2.1.conv1.weight"));
  const other = initialValues(
    tinySpec({
      depth: 34,
      timesteps: 9,
      heads: "perTimestep",
      scheme: { kind: "serial", delay: { kind: "none" } },
    }),
    3,
  );
  let shared = 0;
  for (const [key, tensor] of values) {
    const same = other.get(key);
    // The head is the only tensor of ResNet-18 that the other has not; stages 1 and on widen in their first block.
    if (same === undefined) assert.match(key, /^head\./);
    else assert.deepEqual(same, tensor, key);
    shared += Number(same !== undefined);
  }
  assert.equal(shared, values.size - 2);
});

test("filters are Kaiming-normal by fan-out, the head uniform within 1 / sqrt(features), norms neutral", () => {
  const values = initialValues(tinySpec({ width: 1 / 2, classes: 100 }), 1);
  const of = (name: string): NamedValues => {
    const tensor = values.get(name);
    assert.ok(tensor !== undefined, name);
    return tensor;
  };
  // Standard errors of these variances are 0.2 % and 1 %.
  for (const [name, fanOut, within] of [
    ["stages.3.1.conv2.weight", 9 * 256, 0.01],
    ["stages.3.0.shortcut.weight", 256, 0.04],
  ] as const) {
    const { mean, variance } = moments(of(name).values);
    assert.ok(Math.abs((variance * fanOut) / 2 - 1) < within, `${name}: ${variance}`);
    assert.ok(Math.abs(mean) < 5 * Math.sqrt(variance / of(name).values.length));
  }
  const bound = 1 / 16;
  const head = of("head.weight").values;
  assert.ok(head.every((value) => Math.abs(value) <= bound));
  assert.ok(Math.abs(moments(head).variance / (bound ** 2 / 3) - 1) < 0.03);
  for (const [suffix, neutral] of Object.entries({ scale: 1, offset: 0, mean: 0, variance: 1 }))
    assert.ok(of(`stages.1.0.norm1.${suffix}`).values.every((value) => value === neutral));
});

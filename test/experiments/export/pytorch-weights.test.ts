import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pyTorchWeights } from "../../../lib/experiments/export/pytorch-weights.js";
import { collectTrace } from "../../../lib/experiments/runs/collect-trace.js";
import { tensorSpecs } from "../../../lib/models/anytime-network.js";
import { cascadedResNet } from "../../../lib/models/cascaded-resnet.js";
import { retimedState } from "../../../lib/models/retime.js";
import { disposeState } from "../../../lib/models/state.js";
import { sha256 } from "../../../lib/util/files.js";
import { recipeUniform } from "../../../lib/util/recipe.js";

/** By PyTorch 2.15.0 with docs/pytorch_resnet.py, as pytorch-golden.py beside this file writes it. */
const golden = JSON.parse(readFileSync(join(import.meta.dirname, "pytorch-golden.json"), "utf8")) as {
  weights: string;
  plain: number[][];
  cascade: number[][][];
};

const network = cascadedResNet({
  classes: 3,
  depth: 18,
  width: 1 / 16,
  stem: "cifar",
  heads: "single",
  scheme: { kind: "parallel", delay: { kind: "oneStepDelay" } },
  norm: { epsilon: 0.1, momentum: 0.1, temporalAffine: false },
  timesteps: 9,
});

/** Filters that keep the signal's size, statistics that differ from timestep to timestep. */
const tensors = new Map(
  tensorSpecs(network).map(({ name, shape, role }, i) => {
    const scale = role === "filter" ? Math.sqrt(6 / shape.slice(0, 3).reduce((a, b) => a * b, 1)) : 0.3;
    const centre = role === "variance" || role === "scale" ? 1 : 0;
    const count = shape.reduce((a, b) => a * b, 1);
    const values = Float32Array.from(recipeUniform(i + 1, count), (u) => centre + scale * u);
    return [name, { shape, values }];
  }),
);
const normalisation = { mean: [0.4, 0.5, 0.6], std: [0.2, 0.25, 0.3] } as const;
const classNames = ["a", "b", "c"];
const size = { height: 8, width: 8 };
const images = Uint8Array.from({ length: 2 * 8 * 8 * 3 }, (_, k) => (k * 37 + 11 * Math.floor(k / 50)) % 256);

test("weights in PyTorch's layout give PyTorch the logits that they give here", () => {
  const bytes = pyTorchWeights(network, tensors, { normalisation, classNames });
  const { CASCADE_GOLDEN_WEIGHTS: wanted } = process.env;
  if (wanted !== undefined) writeFileSync(wanted, bytes);
  assert.equal(sha256(bytes), golden.weights);
  const state = retimedState(network, tensors);
  const labels = Int32Array.from([0, 1]);
  const trace = collectTrace(
    network,
    state,
    { images, labels, ids: labels, size, classNames },
    { normalisation },
  );
  disposeState(state);
  const theirs = golden.cascade.flat(2);
  assert.equal(trace.logits.length, theirs.length);
  const largest = Math.max(...theirs.map(Math.abs));
  assert.ok(largest > 0.1);
  for (const [i, logit] of trace.logits.entries())
    assert.ok(
      Math.abs(logit - (theirs[i] ?? NaN)) < 2e-5 * largest,
      `${i}: ${logit} here, ${theirs[i]} there`,
    );
});

test("the plain ResNet of one timestep's statistics is PyTorch's", () => {
  const [last] = [network.timesteps - 1];
  const plain = cascadedResNet({
    ...network.spec,
    scheme: { kind: "parallel", delay: { kind: "none" } },
    timesteps: 1,
  });
  const rows = new Map(
    [...tensors].map(([name, { shape, values }]) => {
      const [, channels = 0] = shape;
      const isRow = /\.(mean|variance)$/.test(name);
      return [
        name,
        isRow ? { shape: [1, channels], values: values.slice(last * channels) } : { shape, values },
      ];
    }),
  );
  const state = retimedState(plain, rows);
  const labels = Int32Array.from([0, 1]);
  const { logits } = collectTrace(
    plain,
    state,
    { images, labels, ids: labels, size, classNames },
    { normalisation },
  );
  disposeState(state);
  const theirs = golden.plain.flat();
  assert.deepEqual(
    [...logits].map((logit, i) => Math.abs(logit - (theirs[i] ?? NaN)) < 1e-4),
    Array(6).fill(true),
  );
});

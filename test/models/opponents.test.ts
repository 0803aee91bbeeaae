import assert from "node:assert/strict";
import { test } from "node:test";
import { parameterCount } from "../../lib/models/anytime-network.js";
import { boostNet } from "../../lib/models/boostnet.js";
import { branchyResNet } from "../../lib/models/branchy-resnet.js";
import type { MultiExitNetwork } from "../../lib/models/multi-exit-network.js";
import { networkCost } from "../../lib/models/cost.js";
import { residualLayout } from "../../lib/models/residual-exits.js";
import { shallowDeepNetwork } from "../../lib/models/shallow-deep-network.js";
import { initialState, stateFrom, stateValues } from "../../lib/models/state.js";
import { zeroTimeWaste } from "../../lib/models/zero-time-waste.js";
import { msdNet } from "../../lib/models/msdnet.js";
import { type Tensor, tf } from "../../lib/nn/tensorflow.js";
import { batchGradients, trainingStep } from "../../lib/train/training-step.js";
import { randomStream } from "../../lib/util/random.js";

const CLASSES = 3;
const BATCH = 4;
const SIDE = 8;
const SHARED = {
  classes: CLASSES,
  imageSize: SIDE,
  norm: { epsilon: 1e-5, momentum: 0.1, temporalAffine: false },
};
const STAGES = residualLayout({ channels: [2, 3], blocks: [2, 1], exits: [1, 2] });
const MSDNET = {
  ...SHARED,
  exits: 3,
  base: 1,
  stepMode: "even",
  step: 1,
  channels: 2,
  growth: 2,
  scaleFactors: [1, 2],
  bottleneckFactors: [1, 2],
  prune: "max",
  reduction: 0.5,
} as const;

const LABELS = [0, 2, 1, 2];
const images = (): {
  values: ReturnType<typeof tf.tensor4d>;
  timeline: { step: number[]; rows: number[] };
} => {
  const stream = randomStream(5, "images");
  const values = Float32Array.from({ length: BATCH * SIDE * SIDE * 3 }, () => stream.normal());
  return { values: tf.tensor4d(values, [BATCH, SIDE, SIDE, 3]), timeline: { step: [0], rows: [BATCH] } };
};

/** Logits [T, B, K] in training and the gradient of each parameter, as plain numbers. */
function trained(network: MultiExitNetwork, weights: readonly number[], state = initialState(network, 3)) {
  const loss = { lambda: 1, firstTimestep: 0, weights };
  const { gradients, logits } = batchGradients(network, state, images(), LABELS, loss);
  return {
    logits: logits.values,
    gradients: new Map([...gradients].map(([name, one]) => [name, one.dataSync<"float32">()])),
  };
}

const ones = (network: MultiExitNetwork): number[] => network.exits.map(() => 1);
const only = (network: MultiExitNetwork, exit: number): number[] =>
  network.exits.map((_, t) => (t === exit ? 1 : 0));

function near(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  assert.equal(actual.length, expected.length, what);
  const largest = Math.max(...Array.from(expected, Math.abs), 1e-3);
  for (let i = 0; i < expected.length; i++)
    assert.ok(Math.abs((actual[i] ?? NaN) - (expected[i] ?? NaN)) < 2e-4 * largest, `${what}, value ${i}`);
}

test("boosted exits add to a share of the answer before; all else is the MSDNet's", () => {
  const plain = msdNet(MSDNET);
  const boosted = boostNet({ ...MSDNET, share: 0.5 });
  assert.equal(parameterCount(boosted), parameterCount(plain));
  const own = trained(plain, ones(plain)).logits;
  const { logits } = trained(boosted, ones(boosted));
  const row = BATCH * CLASSES;
  const expected = own.slice();
  for (let i = row; i < own.length; i++)
    expected[i] = (own[i] as number) + 0.5 * (expected[i - row] as number);
  near(logits, expected, "logits");
  assert.ok(Math.max(...own.map((value, i) => Math.abs(value - (logits[i] ?? NaN)))) > 0.01);
});

test("rescaled gradients of a chain of blocks are means over the exits that are still to come", () => {
  const plain = shallowDeepNetwork({ ...SHARED, ...STAGES });
  const rescaled = { ...plain, rescalesGradients: true } as const;
  const exits = plain.exits.length;
  const byExit = plain.exits.map((_, t) => trained(plain, only(plain, t)).gradients);
  const all = trained(rescaled, ones(rescaled)).gradients;
  // The blocks before exit t, and how many exits come from there on.
  for (const [name, left] of [
    ["init_conv.0.weight", exits],
    ["layers.0.layers.0.3.weight", exits],
    ["layers.1.layers.0.0.weight", exits - 1],
    ["layers.2.layers.0.0.weight", exits - 2],
  ] as const) {
    const sum = new Float64Array(byExit[0]?.get(name)?.length ?? 0);
    for (const gradients of byExit)
      gradients.get(name)?.forEach((value, i) => (sum[i] = (sum[i] ?? 0) + value));
    near(
      all.get(name) ?? [],
      sum.map((value) => value / left),
      name,
    );
  }
  // An exit's own weights are trained by its own loss alone, whole.
  near(all.get("end_layers.2.weight") ?? [], byExit.at(-1)?.get("end_layers.2.weight") ?? [0], "last exit");
});

test("a cascade connection reads the logits before it, and passes no gradient to them", () => {
  const network = zeroTimeWaste({ ...SHARED, ...STAGES });
  const before = stateValues(initialState(network, 3));
  const weight = "layers.1.output.linear.weight";
  const shape = before.get(weight)?.shape ?? [];
  // Two channels on 4 x 4 positions, and the logits of the first classifier; the first one has none to read.
  assert.deepEqual(shape, [2 * 16 + CLASSES, CLASSES]);
  assert.deepEqual(before.get("layers.0.output.linear.weight")?.shape, [2 * 16, CLASSES]);
  const own = 2 * 16 * CLASSES;
  const withConnection = (connection: readonly number[]): Float32Array => {
    const state = stateFrom(network, ({ name }) => {
      const values = (before.get(name)?.values ?? new Float32Array()).slice();
      if (name === weight) values.set(connection, own);
      return values;
    });
    return trained(network, ones(network), state).logits;
  };
  const [without, connected] = [
    withConnection(Array<number>(9).fill(0)),
    withConnection([1, 0, 0, 0, 2, 0, 0, 0, -3]),
  ];
  const row = BATCH * CLASSES;
  const factors = [1, 2, -3];
  near(
    connected.subarray(row, 2 * row),
    Array.from(
      { length: row },
      (_, i) => (without[row + i] ?? NaN) + (factors[i % 3] ?? NaN) * (without[i] ?? NaN),
    ),
    "second answer",
  );
  near(connected.subarray(2 * row), without.subarray(2 * row), "the backbone's own answer");
  const second = trained(network, only(network, 1)).gradients;
  assert.ok((second.get("layers.0.output.linear.weight") ?? []).every((value) => value === 0));
  assert.ok((second.get(weight) ?? []).slice(own).some((value) => value !== 0));
});

test("with a frozen backbone nothing but the internal classifiers changes, as evaluation would have it", () => {
  const network = zeroTimeWaste({ ...SHARED, ...STAGES });
  const state = { ...initialState(network, 3), velocities: new Map<string, Tensor>() };
  const before = new Map([...stateValues(state)].map(([name, { values }]) => [name, values.slice()]));
  const loss = { lambda: 1, firstTimestep: 0, weights: [1, 1, 0] };
  const sgd = { learningRate: 0.1, momentum: 0.9, weightDecay: 5e-4 };
  const tensors = tf.memory().numTensors;
  const given = images();
  const after = trainingStep(network, state, given, LABELS, loss, sgd, "float32", "frozen").state;
  given.values.dispose();
  const changed = [...stateValues(after)].filter(([name, { values }]) =>
    values.some((value, i) => value !== before.get(name)?.[i]),
  );
  assert.ok(changed.every(([name]) => /^layers\.\d+\.output\./.test(name)));
  assert.ok(changed.some(([name]) => name === "layers.0.output.conv.0.weight"));
  assert.ok(
    changed.some(([name]) => name === "layers.0.output.conv.1.mean"),
    "their own statistics go on",
  );
  // What was replaced is freed; velocities of the classifiers alone have come.
  assert.equal(tf.memory().numTensors - tensors, after.velocities.size);
});

test("a side branch has the parameters and multiply-adds of its convolutions, pool and linear layer", () => {
  const plain = shallowDeepNetwork({
    ...SHARED,
    ...residualLayout({ channels: [2, 3], blocks: [2, 1], exits: [] }),
  });
  const branched = branchyResNet({ ...SHARED, ...STAGES, branchConvolutions: [2, 0] });
  const branch = 9 * 2 * 32 + 9 * 32 * 32;
  const linears = (16 * 32 + 1) * CLASSES + (16 * 2 + 1) * CLASSES;
  assert.equal(parameterCount(branched) - parameterCount(plain), branch + 2 * 2 * 32 + linears);
  const [first = NaN, second = NaN, last = NaN] = networkCost(branched, SIDE).distinct;
  const [whole = NaN] = networkCost(plain, SIDE).distinct;
  const block = 2 * 9 * 2 * 2 * 64;
  assert.equal(first, 9 * 3 * 2 * 64 + block + branch * 64 + 16 * 32 * CLASSES);
  assert.equal(second - first, block + 16 * 2 * CLASSES);
  assert.equal(last - whole, branch * 64 + 16 * 34 * CLASSES);
});

test("plain ResNets for small images have the parameters of their publication, beside those of projection shortcuts", () => {
  // He et al. 2016, table 6: millions of parameters of 6 n + 2 layers; their shortcuts have none.
  for (const [n, millions] of [
    [3, 0.27],
    [5, 0.46],
    [7, 0.66],
    [9, 0.85],
    [18, 1.7],
  ] as const) {
    const layout = residualLayout({ channels: [16, 32, 64], blocks: [n, n, n], exits: [] });
    const resnet = shallowDeepNetwork({ ...SHARED, classes: 10, imageSize: 32, ...layout });
    const projections = 16 * 32 + 2 * 32 + 32 * 64 + 2 * 64;
    const digits = millions < 1 ? 2 : 1;
    assert.equal(
      Number(((parameterCount(resnet) - projections) / 1e6).toFixed(digits)),
      millions,
      `n = ${n}`,
    );
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { cascadedDenseNet, type CascadedDenseNetSpec } from "../../lib/models/cascaded-densenet.js";
import { forward, parameterCount } from "../../lib/models/anytime-network.js";
import { networkCost } from "../../lib/models/cost.js";
import { disposeEvaluationPass, disposeState, evaluationPass, initialState } from "../../lib/models/state.js";
import type { Delay } from "../../lib/nn/delay.js";
import { type Tensor4D, tf } from "../../lib/nn/tensorflow.js";
import { constantTimeline } from "../../lib/nn/timeline.js";
import { trainingStep, type TrainingState } from "../../lib/train/training-step.js";
import { randomStream } from "../../lib/util/random.js";
import { assertNear, everyCombination, tinyDenseSpec } from "./oracle-cases.js";
import { evaluationLogits } from "./evaluation-logits.js";
import { type OracleCase, oracleErrors, relativeError } from "./oracle-comparison.js";

const OSD: Delay = { kind: "oneStepDelay" };

/** The network of the paper's appendix. */
function fullSpec(change: Partial<CascadedDenseNetSpec> = {}): CascadedDenseNetSpec {
  return tinyDenseSpec({ growth: 16, layers: [6, 12, 24, 16], classes: 10, ...change });
}

test("layer by layer equals a loop over time: logits, statistics and gradients", () => {
  // Every fifth combination: five shares no factor with 3 x 3 x 2 x 2 x 3, so that every setting is met.
  const cases = everyCombination.filter((_, n) => n % 5 === 0);
  for (const given of cases) {
    const { scheme, heads, norm } = given.spec;
    const spec = tinyDenseSpec({ scheme, heads, norm, timesteps: 9 });
    assertNear(`DenseNet, ${given.name}`, oracleErrors({ ...given, spec }));
  }
});

test("after training, evaluation is as training was, at every timestep: no norm blows anything up", () => {
  const network = cascadedDenseNet(tinyDenseSpec({ layers: [2, 3, 2], classes: 2 }));
  const batch = 32;
  const stream = randomStream(7, "images");
  // Two classes that differ in brightness.
  const labels = Array.from({ length: batch }, (_, n) => n % 2);
  const pixels = labels.flatMap((label) =>
    Array.from({ length: 16 * 16 * 3 }, () => stream.normal() + label),
  );
  const timeline = constantTimeline(network.timesteps, batch);
  const images = { values: tf.tensor4d(pixels, [batch, 16, 16, 3]), timeline };
  let state: TrainingState = { ...initialState(network, 1), velocities: new Map() };
  const sgd = { learningRate: 0.02, momentum: 0.9, weightDecay: 5e-4 };
  for (let step = 0; step < 60; step++)
    ({ state } = trainingStep(network, state, images, labels, { lambda: 1, firstTimestep: 0 }, sgd));
  const pass = evaluationPass(network, state);
  const { values } = forward(network, pass, images, batch).y;
  disposeEvaluationPass(pass);
  disposeState(state);
  images.values.dispose();
  for (let t = 0; t < network.timesteps; t++) {
    const logits = values.subarray(2 * batch * t, 2 * batch * (t + 1));
    assert.ok(
      logits.every((logit) => Math.abs(logit) < 50),
      `t = ${t}: ${logits.join(" ")}`,
    );
    const right = labels.filter((label, n) => {
      const [first = NaN, second = NaN] = logits.subarray(2 * n, 2 * n + 2);
      return Number(first < second) === label;
    }).length;
    assert.ok(right >= 0.9 * batch, `${right} of ${batch} right at t = ${t}`);
  }
});

test("layers whose turn never comes, a single block, the large stem and more timesteps than layers do too", () => {
  const norm = { epsilon: 0.1, momentum: 0.1, temporalAffine: false };
  const given = { side: 13, batch: 3, statistics: "distinct", lambda: 0.5 } as const;
  const cases: OracleCase[] = [
    {
      ...given,
      name: "serial, few timesteps",
      spec: tinyDenseSpec({
        scheme: { kind: "serial", delay: OSD },
        heads: "perTimestep",
        timesteps: 4,
        norm,
      }),
      timeline: { step: [0, 0, 1, 1], rows: [3, 3] },
    },
    {
      ...given,
      name: "one block, large stem",
      spec: tinyDenseSpec({ layers: [3], stem: "imagenet", timesteps: 8, norm }),
      timeline: constantTimeline(8, 3),
    },
  ];
  for (const one of cases) assertNear(one.name, oracleErrors(one));
});

const logitsOverTime = (spec: CascadedDenseNetSpec): number[][] =>
  evaluationLogits(cascadedDenseNet(spec), 16);

test("the cascade has converged after as many steps as it has delays, and stays at the ordinary network's answer", () => {
  const cascade = logitsOverTime(tinyDenseSpec({ timesteps: 11 }));
  const [ordinary = []] = logitsOverTime(
    tinyDenseSpec({ timesteps: 1, scheme: { kind: "parallel", delay: { kind: "none" } } }),
  );
  const serial = logitsOverTime(tinyDenseSpec({ scheme: { kind: "serial", delay: OSD } }));
  // Seven dense layers, seven delays: the last of the eight timesteps, t = 7, is the ordinary network.
  assert.equal(serial.length, 8);
  assert.notDeepEqual(cascade[6], cascade[7]);
  for (const later of cascade.slice(8)) assert.deepEqual(later, cascade[7]);
  assert.ok(relativeError(cascade[7] ?? [], ordinary) < 1e-5);
  assert.ok(relativeError(serial[7] ?? [], ordinary) < 1e-5);
  // At t = 0 the stem alone has arrived, which depends on the image already.
  assert.notDeepEqual(cascade[0]?.slice(0, 5), cascade[0]?.slice(5));
  assert.deepEqual(cascade[0], serial[0]);
});

test("parameters of the appendix's network are those of the closed form", () => {
  // Norms over c inputs and 4k bottleneck channels, filters 1x1 and 3x3; in a transition a norm and a 1x1 filter.
  const closedForm = (k: number): number => {
    let [sum, c] = [27 * 2 * k + 2 * 2 * k, 2 * k];
    for (const [block, layers] of [6, 12, 24, 16].entries()) {
      if (block > 0) [sum, c] = [sum + 2 * c + (c * c) / 2, c / 2];
      for (let i = 0; i < layers; i++) [sum, c] = [sum + 2 * c + 8 * k + 4 * k * c + 36 * k * k, c + k];
    }
    return sum + 2 * c + 10 * c + 10;
  };
  // The known size of the usual DenseNet of growth 12 for CIFAR-10, which has no norm after its stem.
  assert.equal(closedForm(12) - 2 * 2 * 12, 1_000_618);
  const network = cascadedDenseNet(fullSpec());
  assert.equal(parameterCount(network), closedForm(16));
  assert.equal(parameterCount(network), 1_763_018);
  assert.deepEqual([network.timesteps, network.features], [59, 512]);
});

test("multiply-adds are those of the closed form: layer i on i distinct inputs, in a serial network on one", () => {
  const k = 16;
  // 32 x 32 images: 16 x 16 after the stem's pool, halved in each transition.
  const stem = 27 * 2 * k * 32 ** 2;
  const head = 10 * 512;
  let [once, cascade, serial, c, position] = [0, 0, 0, 2 * k, 0];
  for (const [block, layers] of [6, 12, 24, 16].entries()) {
    const side = 16 / 2 ** block;
    if (block > 0) {
      // Its input takes position + 1 values: the stem's, then with one layer more each time.
      const cost = ((c * c) / 2) * (2 * side) ** 2;
      [once, cascade, serial] = [
        once + cost,
        cascade + (position + 1) * cost,
        serial + (position + 1) * cost,
      ];
      c /= 2;
    }
    for (let i = 0; i < layers; i++) {
      position++;
      const cost = (4 * k * c + 36 * k * k) * side ** 2;
      [once, cascade, serial, c] = [once + cost, cascade + position * cost, serial + cost, c + k];
    }
  }
  const costOf = (
    change: Partial<CascadedDenseNetSpec>,
  ): { evaluations: number[]; distinct: number; all: number } => {
    const { evaluations, distinct, everyStep } = networkCost(cascadedDenseNet(fullSpec(change)), 32);
    return { evaluations, distinct: distinct.at(-1) ?? NaN, all: everyStep.at(-1) ?? NaN };
  };
  const ordinary = costOf({ timesteps: 1, scheme: { kind: "parallel", delay: { kind: "none" } } });
  assert.equal(ordinary.distinct, stem + once + head);
  assert.deepEqual(costOf({}), {
    evaluations: Array.from({ length: 58 }, (_, i) => i + 1),
    distinct: stem + cascade + 59 * head,
    all: 59 * (stem + once + head),
  });
  assert.deepEqual(costOf({ scheme: { kind: "serial", delay: OSD } }), {
    evaluations: Array<number>(58).fill(1),
    distinct: stem + serial + 59 * head,
    all: 59 * (stem + once + head),
  });
});

test("training steps, an evaluation and the end of a state leave no tensor behind", () => {
  const schemes = [
    { kind: "parallel", delay: OSD },
    { kind: "serial", delay: OSD },
    { kind: "serial", delay: OSD, asPublished: true },
    { kind: "parallel", delay: { kind: "exponentialSmoothing", alpha: 0.5 } },
  ] as const;
  for (const scheme of schemes)
    for (const [timesteps, temporalAffine] of [
      [undefined, false],
      [4, true],
    ] as const) {
      const norm = { epsilon: 1e-5, momentum: 0.1, temporalAffine };
      const network = cascadedDenseNet(tinyDenseSpec({ scheme, timesteps, norm, heads: "perTimestep" }));
      const empty = tf.memory().numTensors;
      const values: Tensor4D = tf.ones([4, 16, 16, 3]);
      const images = { values, timeline: constantTimeline(network.timesteps, 4) };
      let state: TrainingState = { ...initialState(network, 1), velocities: new Map() };
      const step = (): void => {
        const sgd = { learningRate: 0.05, momentum: 0.9, weightDecay: 5e-4 };
        ({ state } = trainingStep(
          network,
          state,
          images,
          [0, 1, 2, 1],
          { lambda: 0.5, firstTimestep: 1 },
          sgd,
        ));
      };
      step();
      const begun = tf.memory().numTensors;
      assert.equal(begun, empty + 1 + state.parameters.size + state.statistics.size + state.velocities.size);
      step();
      assert.equal(tf.memory().numTensors, begun);
      const pass = evaluationPass(network, state);
      forward(network, pass, images, 4);
      disposeEvaluationPass(pass);
      assert.equal(tf.memory().numTensors, begun);
      disposeState(state);
      tf.dispose([...state.velocities.values(), images.values]);
      assert.equal(tf.memory().numTensors, empty);
    }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { normalisedImage } from "../../../lib/datasets/batches.js";
import type { ImageSet } from "../../../lib/datasets/dataset.js";
import { valuesPerImage } from "../../../lib/util/image-size.js";
import { subset } from "../../../lib/datasets/split.js";
import { collectTrace } from "../../../lib/experiments/runs/collect-trace.js";
import { cascadedResNet } from "../../../lib/models/cascaded-resnet.js";
import { networkCost } from "../../../lib/models/cost.js";
import { disposeState, initialState, stateValues } from "../../../lib/models/state.js";
import type { Heads } from "../../../lib/nn/head.js";
import type { Scheme } from "../../../lib/nn/scheme.js";
import { tf } from "../../../lib/nn/tensorflow.js";
import { type Disturbance, disturbedFrames, type NoiseSchedule } from "../../../lib/noise/schedule.js";
import type { Trace } from "../../../lib/trace/trace.js";
import { randomStream } from "../../../lib/util/random.js";
import { tinySpec } from "../../models/oracle-cases.js";
import { relativeError } from "../../models/oracle-comparison.js";
import type { Maps } from "../../nn/float64-operations.js";
import { runTimeMajor } from "../../nn/time-major-oracle.js";

const SIDE = 12;
const T = 9;
const normalisation = { mean: [0.5, 0.4, 0.45], std: [0.25, 0.2, 0.3] } as const;
const set: ImageSet = {
  images: Uint8Array.from({ length: 5 * SIDE * SIDE * 3 }, randomByte()),
  labels: Int32Array.of(0, 1, 2, 3, 4),
  ids: Int32Array.of(40, 7, 9, 1000, 3),
  size: { height: SIDE, width: SIDE },
  classNames: ["a", "b", "c", "d", "e"],
};

function randomByte(): () => number {
  const stream = randomStream(1, "test/pixels");
  return () => stream.integer(256);
}

const PARALLEL: Scheme = { kind: "parallel", delay: { kind: "oneStepDelay" } };
const SERIAL: Scheme = { kind: "serial", delay: { kind: "oneStepDelay" } };
const PUBLISHED: Scheme = { ...SERIAL, asPublished: true };
const SCHEDULES: readonly NoiseSchedule[] = [
  { kind: "persistent" },
  { kind: "transient" },
  { kind: "pulsed", timesteps: [2, 5] },
];

/** Logits of a network with fresh weights, checked to leave no tensor behind. */
function traceOf(
  scheme: Scheme,
  {
    heads = "single",
    images = set,
    disturbance,
    batchSize = 256,
  }: {
    heads?: Heads;
    images?: ImageSet;
    disturbance?: Disturbance;
    batchSize?: number;
  },
): Trace {
  const network = cascadedResNet(tinySpec({ scheme, heads }));
  const tensors = tf.memory().numTensors;
  const state = initialState(network, 2);
  const trace = collectTrace(network, state, images, { normalisation, disturbance, batchSize });
  disposeState(state);
  assert.equal(tf.memory().numTensors, tensors);
  return trace;
}

/** [B, H, W, 3] normalised frames of each timestep. */
function framesOf(disturbance: Disturbance): Maps[] {
  const values = valuesPerImage(set.size);
  const byImage = [...set.ids].map((id, n) => {
    const image = normalisedImage(set.images.subarray(n * values, (n + 1) * values), normalisation);
    return disturbedFrames(disturbance, image, set.size, id, T);
  });
  return Array.from({ length: T }, (_, t) => ({
    batch: set.ids.length,
    height: SIDE,
    width: SIDE,
    channels: 3,
    values: Float64Array.from(byImage.flatMap((frames) => [...(frames[t] ?? [])])),
  }));
}

test("disturbed images give what a loop over time gives on the same frames", () => {
  for (const [scheme, heads] of [
    [PARALLEL, "single"],
    [SERIAL, "single"],
    [SERIAL, "perTimestep"],
    [PUBLISHED, "single"],
    [PUBLISHED, "perTimestep"],
  ] as const)
    for (const schedule of SCHEDULES) {
      const disturbance: Disturbance = { noise: "occlusion", schedule, seed: 4 };
      const spec = tinySpec({ scheme, heads });
      const state = initialState(cascadedResNet(spec), 2);
      const tensors = new Map(
        [...stateValues(state)].map(([name, { shape, values }]) => [
          name,
          { shape, values: Float64Array.from(values) },
        ]),
      );
      disposeState(state);
      const expected = runTimeMajor(spec, tensors, framesOf(disturbance), "evaluation").logits;
      const { logits } = traceOf(scheme, { heads, disturbance });
      const error = relativeError(logits, expected);
      assert.ok(error < 1e-5, `${scheme.kind}, ${heads}, ${schedule.kind}: off by ${error}`);
    }
});

/** Row t of logits [T, N, K]. */
function rowAt({ logits, examples, classes }: Trace, t: number): Float32Array | Float64Array {
  return logits.subarray(t * examples * classes, (t + 1) * examples * classes);
}

test("an undelayed serial model starts again with every frame; a cascade and a published one do not", () => {
  const disturbed = (kind: "persistent" | "transient", seed = 0): Disturbance => ({
    noise: "occlusion",
    schedule: { kind },
    seed,
  });
  // Pulsed at every timestep but one before t, the serial answer at t is the clean one.
  const cleanAt = 4;
  const pulses = Array.from({ length: T }, (_, t) => t).filter((t) => t !== cleanAt - 1);
  const disturbance: Disturbance = {
    noise: "occlusion",
    schedule: { kind: "pulsed", timesteps: pulses },
    seed: 0,
  };
  const [serial, parallel, published] = [SERIAL, PARALLEL, PUBLISHED].map((scheme) => ({
    clean: traceOf(scheme, {}),
    noisy: traceOf(scheme, { disturbance }),
  }));
  assert.ok(serial && parallel && published);
  for (let t = 1; t < T; t++) {
    const error = relativeError(rowAt(serial.noisy, t), rowAt(serial.clean, t));
    assert.ok(t === cleanAt ? error < 1e-5 : error > 1e-3, `serial, t = ${t}: ${error}`);
  }
  for (const { noisy, clean } of [parallel, published])
    assert.ok(relativeError(rowAt(noisy, cleanAt), rowAt(clean, cleanAt)) > 1e-3);
  // The first frame is the same on both schedules, and all that either has seen at t = 1.
  for (const scheme of [SERIAL, PARALLEL, PUBLISHED]) {
    const [held, fresh] = (["persistent", "transient"] as const).map((kind) =>
      traceOf(scheme, { disturbance: disturbed(kind) }),
    );
    assert.ok(held && fresh);
    assert.ok(relativeError(rowAt(fresh, 1), rowAt(held, 1)) < 1e-5);
    assert.ok(relativeError(rowAt(fresh, 8), rowAt(held, 8)) > 1e-3);
  }
});

test("an image's logits do not depend on the images beside it, their order or the batch size", () => {
  const disturbance: Disturbance = { noise: "perlin", schedule: { kind: "transient" }, seed: 3 };
  const together = traceOf(PARALLEL, { disturbance });
  const order = [3, 0, 4];
  const apart = traceOf(PARALLEL, { disturbance, images: subset(set, order), batchSize: 2 });
  for (let t = 0; t < T; t++)
    for (const [place, n] of order.entries()) {
      const own = rowAt(apart, t).subarray(place * 5, place * 5 + 5);
      assert.ok(relativeError(own, rowAt(together, t).subarray(n * 5, n * 5 + 5)) < 1e-5);
    }
});

test("what changes over time costs more: every block anew at every timestep that it has something new", () => {
  const cost = (scheme: Scheme, schedule: NoiseSchedule): number =>
    traceOf(scheme, { disturbance: { noise: "focus", schedule, seed: 0 } }).cost?.multiplyAdds.at(-1) ?? NaN;
  for (const scheme of [PARALLEL, SERIAL, PUBLISHED]) {
    const network = cascadedResNet(tinySpec({ scheme }));
    const { distinct, everyStep } = networkCost(network, SIDE);
    assert.equal(cost(scheme, { kind: "persistent" }), distinct.at(-1));
    const transient = cost(scheme, { kind: "transient" });
    assert.ok(transient > (distinct.at(-1) ?? NaN) && transient < (everyStep.at(-1) ?? NaN));
    const pulsed = cost(scheme, { kind: "pulsed", timesteps: [2, 5] });
    assert.ok(pulsed > (distinct.at(-1) ?? NaN) && pulsed < transient);
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { cascadedResNet } from "../../lib/models/cascaded-resnet.js";
import { networkCost } from "../../lib/models/cost.js";
import { msdNet } from "../../lib/models/msdnet.js";
import { parallelTimes } from "../../lib/models/parallel-time.js";
import { residualLayout } from "../../lib/models/residual-exits.js";
import { shallowDeepNetwork } from "../../lib/models/shallow-deep-network.js";

const norm = { epsilon: 0.1, momentum: 0.1, temporalAffine: false };
const delay = { kind: "oneStepDelay" } as const;
const LINK = 1000;
const NO_LINK = { linkLatency: 0 };

test("a timestep takes as long as the slowest block that is due; links delay all answers alike", () => {
  const spec = { classes: 10, stem: "cifar", heads: "single", norm, depth: 18, width: 0.25 } as const;
  const cascade = cascadedResNet({ ...spec, scheme: { kind: "parallel", delay } });
  // Stem 3x3, 3 -> 16, on 32 x 32; blocks of two 3x3 on 16 x 16, whose second halves all cost the same.
  const stem = 9 * 3 * 16 * 32 * 32;
  const block = 2 * 9 * 16 * 16 * 16 * 16;
  const shortcuts = 16 * 32 * 8 * 8 + 32 * 64 * 4 * 4 + 64 * 128 * 2 * 2;
  const times = parallelTimes(cascade, 32, NO_LINK);
  const expected = [0, 1, 2, 3, 4, 5, 6, 7, 8].map(
    (t) => (t === 0 ? 0 : stem + (t - 1) * block) + shortcuts + 128 * 10,
  );
  assert.deepEqual(times, expected);
  const linked = parallelTimes(cascade, 32, { linkLatency: LINK });
  linked.forEach((time, t) => {
    assert.equal(time - (times[t] ?? NaN), 9 * LINK);
  });
});

test("a serial network with delays does a part of the cascade's work at the same time, without them each block waits", () => {
  const spec = { classes: 10, stem: "cifar", heads: "single", norm, depth: 18, width: 0.25 } as const;
  const cascade = cascadedResNet({ ...spec, scheme: { kind: "parallel", delay } });
  const published = cascadedResNet({ ...spec, scheme: { kind: "serial", delay, asPublished: true } });
  const hardware = { linkLatency: LINK };
  // One block of full cost is due at each timestep from 2 on, in either.
  assert.deepEqual(parallelTimes(published, 32, hardware), parallelTimes(cascade, 32, hardware));
  const work = networkCost(published, 32).distinct;
  parallelTimes(published, 32, NO_LINK).forEach((time, t) => {
    if (t > 1) assert.ok(time < (work[t] ?? NaN));
  });
  const undelayed = cascadedResNet({ ...spec, scheme: { kind: "serial", delay } });
  assert.deepEqual(parallelTimes(undelayed, 32, NO_LINK), networkCost(undelayed, 32).distinct);
});

test("exits of a chain of blocks wait for all before them, those of a multi-scale network for the longest way alone", () => {
  const shared = { classes: 10, imageSize: 8, norm };
  const chain = shallowDeepNetwork({
    ...shared,
    ...residualLayout({ channels: [2], blocks: [2], exits: [1] }),
  });
  const block = 2 * 9 * 2 * 2 * 64;
  const stem = 9 * 3 * 2 * 64;
  // By hand: stem, then blocks, with a link after each; an exit's own work and link last.
  assert.deepEqual(parallelTimes(chain, 8, { linkLatency: LINK }), [
    stem + block + 16 * 2 * 10 + 3 * LINK,
    stem + 2 * block + 2 * 10 + 4 * LINK,
  ]);
  const wide = msdNet({
    ...shared,
    exits: 2,
    base: 1,
    stepMode: "even",
    step: 1,
    channels: 4,
    growth: 4,
    scaleFactors: [1, 2],
    bottleneckFactors: [1, 2],
    prune: "max",
    reduction: 0.5,
  });
  const [first = NaN, second = NaN] = parallelTimes(wide, 8, NO_LINK);
  const [, work = NaN] = networkCost(wide, 8).distinct;
  assert.ok(first <= second && second < work);
});

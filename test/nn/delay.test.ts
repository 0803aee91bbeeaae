import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Delay, delayKernel, planMerge } from "../../lib/nn/delay.js";
import { kernels } from "../../lib/nn/backend/chosen-kernels.js";
import { tf } from "../../lib/nn/tensorflow.js";
import { changingTimeline } from "../../lib/nn/timeline.js";

/** What the network's own delay makes of a unit impulse at each timestep: column s is the answer to the impulse at s. */
function impulseResponse(delay: Delay, timesteps: number): number[][] {
  return tf.tidy(() => {
    const timeline = changingTimeline(timesteps, 1);
    const impulses = tf.reshape(tf.eye(timesteps), [timesteps, 1, 1, timesteps]);
    const plan = planMerge(delay, timeline);
    const steps = { residual: timeline, shortcut: undefined, plan, relu: false };
    const table = kernels.merge(impulses as ReturnType<typeof tf.tensor4d>, undefined, steps).dataSync();
    return plan.timeline.step.map((d) => [...table.subarray(d * timesteps, (d + 1) * timesteps)]);
  });
}

test("the delay's kernel is its answer to unit impulses", () => {
  const someDelay: fc.Arbitrary<Delay> = fc.oneof(
    fc.constant<Delay>({ kind: "none" }),
    fc.constant<Delay>({ kind: "oneStepDelay" }),
    fc
      .double({ min: 0, max: 1, noNaN: true })
      .map((alpha) => ({ kind: "exponentialSmoothing" as const, alpha })),
  );
  fc.assert(
    fc.property(someDelay, fc.integer({ min: 1, max: 12 }), (delay, timesteps) => {
      const kernel = delayKernel(delay, timesteps);
      for (const [t, row] of impulseResponse(delay, timesteps).entries())
        for (const [s, response] of row.entries())
          assert.ok(Math.abs(response - (kernel[t]?.[s] ?? NaN)) < 1e-6, `t = ${t}, s = ${s}`);
    }),
  );
});

test("alpha 1 never leaves zero, and is not the one-step delay", () => {
  const still = delayKernel({ kind: "exponentialSmoothing", alpha: 1 }, 4);
  assert.ok(still.flat().every((value) => value === 0));
  assert.deepEqual(delayKernel({ kind: "oneStepDelay" }, 3), [
    [0, 0, 0],
    [1, 0, 0],
    [0, 1, 0],
  ]);
});

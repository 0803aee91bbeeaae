import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { accuracyAtSpeed } from "../../lib/trace/accuracy-at-speed.js";
import { confidences } from "../../lib/trace/probabilities.js";
import {
  signalSpeedAccuracyCurve,
  speedAccuracyCurve,
  THRESHOLDS,
} from "../../lib/trace/speed-accuracy-curve.js";
import { UserError } from "../../lib/util/errors.js";
import { smallTraces } from "./made-traces.js";

test("the confidence given as a signal has the confidence rule's curve", () => {
  fc.assert(
    fc.property(smallTraces, (trace) => {
      assert.deepEqual(
        signalSpeedAccuracyCurve(trace, confidences(trace), THRESHOLDS),
        speedAccuracyCurve(trace),
      );
    }),
  );
});

test("at a signal's own levels the curve runs from the first timestep to the last and rises in time", () => {
  fc.assert(
    fc.property(smallTraces, (trace) => {
      // A signal far outside [0, 1]: its scale must not matter.
      const curve = signalSpeedAccuracyCurve(
        trace,
        confidences(trace).map((value) => 100 * value - 500),
      );
      const times = curve.map(({ meanStoppingTime }) => meanStoppingTime);
      assert.deepEqual([times[0], times.at(-1)], [0, trace.timesteps - 1]);
      assert.ok(times.every((time, i) => i === 0 || time >= (times[i - 1] as number)));
    }),
  );
});

test("accuracy between two points of a curve lies on their line and is held after it; before the curve it is refused", () => {
  const curve = [
    { threshold: 0, meanStoppingTime: 1, accuracy: 0.2 },
    { threshold: 1, meanStoppingTime: 3, accuracy: 0.6 },
  ];
  assert.deepEqual(
    [1, 2, 2.5, 3, 3.1].map((time) => Math.round(1e9 * accuracyAtSpeed(curve, time)) / 1e9),
    [0.2, 0.4, 0.5, 0.6, 0.6],
  );
  assert.throws(() => accuracyAtSpeed(curve, 0.9), UserError);
});

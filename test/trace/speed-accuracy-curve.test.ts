import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { asymptoticAccuracy, accuracyTable } from "../../lib/trace/accuracy-per-timestep.js";
import { recipeTrace } from "../../lib/experiments/parity/recipe-trace.js";
import { areaUnderAccuracy, areaUnderSpeedAccuracy, commonRange } from "../../lib/trace/area.js";
import { overthinking } from "../../lib/trace/overthinking.js";
import { correctness } from "../../lib/trace/probabilities.js";
import { speedAccuracyCurve, speedAccuracyTable } from "../../lib/trace/speed-accuracy-curve.js";
import { UserError } from "../../lib/util/errors.js";
import { smallTraces } from "./made-traces.js";

test("stopping time and cost never fall with the threshold, and lie within the trace's", () => {
  fc.assert(
    fc.property(smallTraces, (trace) => {
      const curve = speedAccuracyCurve(trace);
      assert.equal(curve.length, 101);
      curve.forEach((point, i) => {
        const before = curve[i - 1] ?? point;
        assert.ok(point.meanStoppingTime >= before.meanStoppingTime);
        assert.ok((point.meanMultiplyAdds ?? 0) >= (before.meanMultiplyAdds ?? 0));
        assert.ok(point.meanStoppingTime <= trace.timesteps - 1);
        assert.equal(point.meanMultiplyAdds !== undefined, trace.cost !== undefined);
      });
    }),
  );
});

test("tables carry the model, the cost and the asymptote; infinite patience is the last timestep", () => {
  const { trace } = recipeTrace(5, 40, 4);
  const named = { ...trace, model: "CascadedTD", cost: { multiplyAdds: [1, 2, 4, 8, 16] } };
  const curve = speedAccuracyTable(named);
  assert.deepEqual(curve.columnNames(), [
    "model",
    "threshold",
    "meanStoppingTime",
    "accuracy",
    "meanMultiplyAdds",
    "asymptoticAccuracy",
  ]);
  assert.equal(curve.get("meanMultiplyAdds", 100), 16);
  // A cost of one a timestep is the stopping time itself.
  const timed = speedAccuracyCurve({
    ...named,
    cost: { ...named.cost, milliseconds: [0, 0.5, 1, 1.5, 2] },
  });
  for (const { meanMilliseconds, meanStoppingTime } of timed)
    assert.ok(Math.abs((meanMilliseconds ?? NaN) - meanStoppingTime / 2) < 1e-12);
  assert.equal(curve.get("asymptoticAccuracy", 0), asymptoticAccuracy(trace));
  const patient = speedAccuracyCurve(trace, { signal: "patience" });
  assert.deepEqual(
    patient.map((point) => point.threshold),
    [0, 1, 2, 3, 4],
  );
  assert.equal(
    speedAccuracyCurve(trace, { signal: "confidence", thresholds: [1] })[0]?.accuracy,
    asymptoticAccuracy(trace),
  );
  assert.deepEqual(accuracyTable(trace).columnNames(), ["timestep", "accuracy", "standardError", "examples"]);
});

test("areas in closed form, over a common range, in timesteps and in multiply-adds", () => {
  assert.equal(areaUnderAccuracy([0.5]), 0.5);
  assert.equal(areaUnderAccuracy([0, 1, 1]), 0.75);
  const point = (meanStoppingTime: number, accuracy: number) => ({
    threshold: 0,
    meanStoppingTime,
    accuracy,
    meanMultiplyAdds: 100 * meanStoppingTime,
  });
  const straight = [point(4, 0.8), point(0, 0), point(2, 0.4), point(2, 0.4)];
  assert.ok(Math.abs(areaUnderSpeedAccuracy(straight, { from: 1, to: 3 }) - 0.4) < 1e-15);
  assert.ok(
    Math.abs(areaUnderSpeedAccuracy(straight, { from: 0, to: 400 }, "meanMultiplyAdds") - 0.4) < 1e-15,
  );
  const step = [point(1, 0.2), point(2, 0.2), point(2, 0.6), point(5, 0.6)];
  assert.ok(Math.abs(areaUnderSpeedAccuracy(step, { from: 1, to: 5 }) - 0.5) < 1e-15);
  assert.deepEqual(commonRange([straight, step]), { from: 1, to: 5 });
  // A curve that ends at 4 with 0.8 is held: (∫_3^4 x/5 dx + 2 · 0.8) / 3.
  assert.ok(Math.abs(areaUnderSpeedAccuracy(straight, { from: 3, to: 6 }) - (0.7 + 1.6) / 3) < 1e-15);
  // One model is done before another has begun, as measured times on a busy machine can be.
  const late = [point(7, 1), point(9, 1)];
  assert.deepEqual(commonRange([straight, late]), { from: 7, to: 9 });
  assert.equal(areaUnderSpeedAccuracy(straight, { from: 7, to: 9 }), 0.8);
  assert.throws(() => commonRange([[point(1, 1)], [point(1, 0)]]), UserError);
  assert.throws(() => areaUnderSpeedAccuracy(step, { from: 0, to: 5 }), /begins at 1/);
});

test("overthinking parts the examples: right nowhere, only at last, early and lost, early and kept", () => {
  fc.assert(
    fc.property(smallTraces, (trace) => {
      const { destructive, wasteful, oracleAccuracy } = overthinking(trace);
      const correct = correctness(trace);
      const { timesteps: T, examples: N } = trace;
      const rows = Array.from({ length: N }, (_, n) =>
        Array.from({ length: T }, (_, t) => correct[t * N + n] === 1),
      );
      const share = (holds: (early: boolean, last: boolean) => boolean) =>
        rows.filter((row) => holds(row.slice(0, -1).includes(true), row.at(-1) === true)).length / N;
      assert.equal(
        destructive,
        share((early, last) => early && !last),
      );
      assert.equal(
        wasteful,
        share((early, last) => early && last),
      );
      assert.equal(
        oracleAccuracy,
        share((early, last) => early || last),
      );
      assert.ok(Math.abs(oracleAccuracy - destructive - asymptoticAccuracy(trace)) < 1e-12);
    }),
  );
});

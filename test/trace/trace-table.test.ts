import assert from "node:assert/strict";
import { test } from "node:test";
import { escape, op } from "arquero";
import fc from "fast-check";
import { accuracyPerTimestep } from "../../lib/trace/accuracy-per-timestep.js";
import { speedAccuracyCurve } from "../../lib/trace/speed-accuracy-curve.js";
import { traceTable } from "../../lib/trace/trace-table.js";
import { smallTraces, traceOfProbabilities } from "./made-traces.js";

test("a row for each timestep and image says what was answered, how surely, and at what cost", () => {
  const logits = [[[0.5, 0.3, 0.2]], [[0.1, 0.8, 0.1]]];
  const trace = {
    ...traceOfProbabilities(logits, [1]),
    ids: Int32Array.of(7),
    model: "made",
    cost: { multiplyAdds: [2, 5] },
  };
  const [first, second] = traceTable(trace)
    .derive({ margin: "round(1000 * d.margin) / 1000", confidence: "round(1000 * d.confidence) / 1000" })
    .select("model", "timestep", "image", "label", "answer", "right", "confidence", "margin", "multiplyAdds")
    .objects();
  const common = { model: "made", image: 7, label: 1 };
  assert.deepEqual(first, {
    ...common,
    timestep: 0,
    answer: 0,
    right: 0,
    confidence: 0.5,
    margin: 0.2,
    multiplyAdds: 2,
  });
  assert.deepEqual(second, {
    ...common,
    timestep: 1,
    answer: 1,
    right: 1,
    confidence: 0.8,
    margin: 0.7,
    multiplyAdds: 5,
  });
});

test("verbs on the table give the accuracies and the stopping points of the library", () => {
  fc.assert(
    fc.property(smallTraces, fc.constantFrom("confidence", "margin", "entropy"), (trace, signal) => {
      const answers = traceTable(trace);
      const accuracy = answers
        .groupby("timestep")
        .rollup({ accuracy: op.mean("right") })
        .array("accuracy");
      accuracyPerTimestep(trace).forEach((share, t) => {
        assert.ok(Math.abs(share - (accuracy[t] as number)) < 1e-12);
      });
      const [point] = speedAccuracyCurve(trace, { signal, thresholds: [0.6] });
      const stops = (row: Readonly<Record<string, number>>): boolean =>
        row["timestep"] === trace.timesteps - 1 ||
        (signal === "entropy" ? (row["entropy"] ?? NaN) <= 0.6 : (row[signal] ?? NaN) >= 0.6);
      const [byHand] = answers
        .filter(escape(stops))
        .groupby("image")
        .slice(0, 1)
        .ungroup()
        .rollup({ time: op.mean("timestep"), accuracy: op.mean("right") })
        .objects() as { time: number; accuracy: number }[];
      assert.ok(Math.abs((byHand?.time ?? NaN) - (point?.meanStoppingTime ?? 0)) < 1e-12);
      assert.ok(Math.abs((byHand?.accuracy ?? NaN) - (point?.accuracy ?? 0)) < 1e-12);
    }),
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { expectedCalibrationError, reliabilityBins, reliabilityTable } from "../../lib/trace/calibration.js";
import { confidences, correctness } from "../../lib/trace/probabilities.js";
import { UserError } from "../../lib/util/errors.js";
import { smallTraces, traceOfProbabilities } from "./made-traces.js";

test("the expected calibration error equals a sum over bins found by comparing with their edges", () => {
  fc.assert(
    fc.property(smallTraces, fc.integer({ min: 1, max: 20 }), (trace, bins) => {
      const N = trace.examples;
      const confidence = confidences(trace);
      const correct = correctness(trace);
      const errors = expectedCalibrationError(trace, bins);
      for (let t = 0; t < trace.timesteps; t++) {
        let expected = 0;
        for (let b = 0; b < bins; b++) {
          let gap = 0;
          for (let row = t * N; row < (t + 1) * N; row++) {
            const value = confidence[row] as number;
            if (value > b / bins && value <= (b + 1) / bins) gap += (correct[row] as number) - value;
          }
          expected += Math.abs(gap) / N;
        }
        assert.ok(Math.abs((errors[t] as number) - expected) < 1e-12);
      }
    }),
  );
});

test("a confidence on an edge belongs to the bin below it; empty bins stay out of the table", () => {
  const trace = traceOfProbabilities(
    [
      [
        [0.5, 0.5],
        [0.75, 0.25],
        [1 - 2 ** -20, 2 ** -20],
      ],
    ],
    [0, 1, 0],
  );
  assert.deepEqual(
    reliabilityBins(trace, 4).map(({ count }) => count),
    [0, 1, 1, 1],
  );
  const table = reliabilityTable(trace, 4);
  assert.equal(table.numRows(), 3);
  assert.deepEqual(table.array("accuracy"), [1, 0, 1]);
  assert.throws(() => reliabilityBins(trace, 0), UserError);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { accuracyPerTimestep } from "../../lib/trace/accuracy-per-timestep.js";
import { confusionOverTime, confusionTable } from "../../lib/trace/confusion.js";
import { smallTraces, traceOfProbabilities } from "./made-traces.js";

test("four images of two classes, by hand: rows are labels, columns answers", () => {
  const right = [0.9, 0.1];
  const wrong = [0.1, 0.9];
  const trace = traceOfProbabilities(
    [
      [wrong, right, right, wrong],
      [right, right, right, wrong],
    ],
    [0, 0, 0, 1],
  );
  assert.deepEqual([...confusionOverTime(trace)], [2, 1, 0, 1, 3, 0, 0, 1]);
  assert.deepEqual(confusionTable(trace).objects(), [
    { timestep: 0, label: 0, answer: 0, images: 2, share: 2 / 3 },
    { timestep: 0, label: 0, answer: 1, images: 1, share: 1 / 3 },
    { timestep: 0, label: 1, answer: 1, images: 1, share: 1 },
    { timestep: 1, label: 0, answer: 0, images: 3, share: 1 },
    { timestep: 1, label: 1, answer: 1, images: 1, share: 1 },
  ]);
});

test("rows add up to the images of the class, the diagonal to the accuracy, shares to one", () => {
  fc.assert(
    fc.property(smallTraces, (trace) => {
      const { timesteps: T, examples: N, classes: K } = trace;
      const counts = confusionOverTime(trace);
      const accuracy = accuracyPerTimestep(trace);
      for (let t = 0; t < T; t++) {
        let diagonal = 0;
        for (let label = 0; label < K; label++) {
          const row = counts.subarray((t * K + label) * K, (t * K + label + 1) * K);
          const own = trace.labels.filter((one) => one === label).length;
          assert.equal(
            row.reduce((sum, count) => sum + count, 0),
            own,
          );
          diagonal += row[label] as number;
        }
        assert.equal(diagonal / N, accuracy[t]);
      }
      const rows = confusionTable(trace).objects({ limit: Infinity }) as { images: number; share: number }[];
      assert.equal(
        rows.reduce((sum, { images }) => sum + images, 0),
        T * N,
      );
      assert.ok(rows.every(({ images, share }) => images > 0 && share > 0 && share <= 1));
    }),
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { probabilities } from "../../lib/trace/probabilities.js";
import { stoppingSignal, stoppingTimes, type StoppingRule } from "../../lib/trace/stopping-time.js";
import { UserError } from "../../lib/util/errors.js";
import { smallTraces, traceOfProbabilities } from "./made-traces.js";

const twoExamples = traceOfProbabilities(
  [
    [
      [0.5, 0.3, 0.2],
      [0.4, 0.35, 0.25],
    ],
    [
      [0.2, 0.7, 0.1],
      [0.36, 0.34, 0.3],
    ],
    [
      [0.1, 0.8, 0.1],
      [0.5, 0.25, 0.25],
    ],
    [
      [0.05, 0.9, 0.05],
      [0.2, 0.6, 0.2],
    ],
  ],
  [1, 0],
);

test("each rule stops where its definition says", () => {
  const stops = (rule: StoppingRule) => Array.from(stoppingTimes(twoExamples, rule));
  assert.deepEqual(stops({ kind: "confidence", threshold: 0.6 }), [1, 3]);
  assert.deepEqual(stops({ kind: "confidence", threshold: 1 }), [3, 3]);
  assert.deepEqual(stops({ kind: "margin", threshold: 0.19 }), [0, 2]);
  // Entropies over log 3 of the first example: 0.937, 0.730, 0.582, 0.359; of the second 0.983, 0.997, 0.946, 0.865.
  assert.deepEqual(stops({ kind: "entropy", threshold: 0.6 }), [2, 3]);
  assert.deepEqual(stops({ kind: "entropy", threshold: 0.95 }), [0, 2]);
  assert.deepEqual(stops({ kind: "patience", steps: 0 }), [0, 0]);
  assert.deepEqual(stops({ kind: "patience", steps: 1 }), [2, 1]);
  assert.deepEqual(stops({ kind: "patience", steps: 2 }), [3, 2]);
});

test("the confidence rule equals a search through the probabilities", () => {
  fc.assert(
    fc.property(smallTraces, fc.double({ min: 0, max: 1, noNaN: true }), (trace, threshold) => {
      const { timesteps: T, examples: N, classes: K } = trace;
      const probs = probabilities(trace);
      const times = stoppingTimes(trace, { kind: "confidence", threshold });
      for (let n = 0; n < N; n++) {
        const reached = Array.from({ length: T }, (_, t) => t).find(
          (t) => Math.max(...probs.subarray((t * N + n) * K, (t * N + n + 1) * K)) >= threshold,
        );
        assert.equal(times[n], reached ?? T - 1);
      }
    }),
  );
});

test("probabilities sum to one and survive huge logits; signals stay in their range", () => {
  const huge = { ...twoExamples, logits: twoExamples.logits.map((logit, i) => logit + (i % 2 ? 1e4 : -1e4)) };
  for (const trace of [twoExamples, huge]) {
    const probs = probabilities(trace);
    for (let row = 0; row < probs.length; row += 3) {
      assert.ok(Math.abs(probs.subarray(row, row + 3).reduce((sum, p) => sum + p, 0) - 1) < 1e-12);
    }
    for (const kind of ["confidence", "margin", "entropy"] as const) {
      for (const value of stoppingSignal(trace, kind)) assert.ok(Math.abs(value) <= 1 + 1e-12);
    }
  }
});

test("a level that makes no sense is refused", () => {
  for (const rule of [
    { kind: "confidence", threshold: 1.5 },
    { kind: "entropy", threshold: NaN },
    { kind: "patience", steps: 1.5 },
  ] as const) {
    assert.throws(() => stoppingTimes(twoExamples, rule), UserError);
  }
});

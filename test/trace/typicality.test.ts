import assert from "node:assert/strict";
import { test } from "node:test";
import { recipeTrace } from "../../lib/experiments/parity/recipe-trace.js";
import { correctness } from "../../lib/trace/probabilities.js";
import { stoppingTimes } from "../../lib/trace/stopping-time.js";
import {
  selection,
  typicalityByClassTable,
  typicalityCorrelation,
  typicalityTable,
} from "../../lib/trace/typicality.js";
import { changed } from "./made-traces.js";

const { trace, ease } = recipeTrace(9, 200, 10);
const cScores = ease.map((value) => (value + 1) / 2);
const rule = { kind: "confidence", threshold: 0.7 } as const;

test("easy examples are selected sooner, whatever the scale of the score", () => {
  const rho = typicalityCorrelation(trace, cScores, rule);
  assert.ok(Math.abs(rho - typicalityCorrelation(trace, ease, rule)) < 1e-12);
  assert.ok(rho < -0.5);
});

test("bins and classes part the examples: their weighted means are those of the whole trace", () => {
  const times = stoppingTimes(trace, rule);
  const correct = correctness(trace);
  const meanLatency = times.reduce((sum, t) => sum + t, 0) / 200;
  const accuracy = times.reduce((sum, t, n) => sum + (correct[t * 200 + n] as number), 0) / 200;
  for (const table of [
    typicalityTable(trace, cScores, rule, 5),
    typicalityByClassTable(trace, cScores, rule),
  ]) {
    const rows = table.objects() as { examples: number; selectionLatency: number; accuracy: number }[];
    const weighted = (value: (row: (typeof rows)[number]) => number) =>
      rows.reduce((sum, row) => sum + row.examples * value(row), 0) / 200;
    assert.equal(
      weighted(() => 1),
      1,
    );
    assert.ok(Math.abs(weighted((row) => row.selectionLatency) - meanLatency) < 1e-12);
    assert.ok(Math.abs(weighted((row) => row.accuracy) - accuracy) < 1e-12);
  }
});

test("scores that do not fit the trace are refused by the place of the fault", () => {
  assert.throws(() => typicalityCorrelation(trace, cScores.subarray(1), rule), /199 C-scores for 200/);
  assert.throws(() => typicalityTable(trace, changed(cScores, 7, NaN), rule), /example 7/);
  assert.throws(() => typicalityTable(trace, changed(cScores, 9, 1.5), rule), /example 9 is 1.5/);
});

test("a selection is the answer of each example at its own stopping time", () => {
  const { latencies, right } = selection(trace, rule);
  assert.deepEqual(latencies, stoppingTimes(trace, rule));
  const correct = correctness(trace);
  for (let n = 0; n < trace.examples; n++) assert.equal(right[n], correct[(latencies[n] ?? NaN) * 200 + n]);
  // At threshold 0 all answer at once.
  assert.ok(selection(trace, { ...rule, threshold: 0 }).latencies.every((t) => t === 0));
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { accuracyPerTimestep } from "../../lib/trace/accuracy-per-timestep.js";
import { changedImages, traceChanges, traceChangesByClass } from "../../lib/trace/trace-changes.js";
import type { Trace } from "../../lib/trace/trace.js";
import { traceFrom } from "../../lib/trace/subtrace.js";
import { mcnemarExact } from "../../lib/util/mcnemar.js";
import { UserError } from "../../lib/util/errors.js";
import { smallTraces, traceOfProbabilities } from "./made-traces.js";

const [A, B] = [
  [0.9, 0.1],
  [0.2, 0.8],
];
const first = traceOfProbabilities([[A, A, A, A]], [0, 0, 1, 1]);
const second = traceOfProbabilities([[A, B, B, B]], [0, 0, 1, 1]);

test("McNemar's exact test by hand, against the sum of the binomial, and at its ends", () => {
  // 2 (1 + 10) / 2^10: one against nine of ten.
  assert.ok(Math.abs(mcnemarExact(1, 9) - 22 / 1024) < 1e-15);
  assert.equal(mcnemarExact(0, 0), 1);
  assert.equal(mcnemarExact(5, 5), 1);
  fc.assert(
    fc.property(fc.nat(30), fc.nat(30), (b, c) => {
      let [term, sum] = [1, 0];
      for (let k = 0; k <= Math.min(b, c); k++) {
        sum += term;
        term = (term * (b + c - k)) / (k + 1);
      }
      const p = Math.min(1, (2 * sum) / 2 ** (b + c));
      assert.ok(Math.abs(mcnemarExact(b, c) - p) < 1e-12);
      assert.equal(mcnemarExact(b, c), mcnemarExact(c, b));
    }),
  );
});

test("four images by hand: one lost, two gained, by class and image by image", () => {
  const row = { examples: 4, wrongToRight: 2, rightToWrong: 1, difference: 0.25, pValue: 1 };
  assert.deepEqual(traceChanges(first, second).objects(), [{ timestep: 0, ...row }]);
  assert.deepEqual(traceChangesByClass(first, second).objects(), [
    { timestep: 0, label: 0, examples: 2, wrongToRight: 0, rightToWrong: 1, difference: -0.5, pValue: 1 },
    { timestep: 0, label: 1, examples: 2, wrongToRight: 2, rightToWrong: 0, difference: 1, pValue: 0.5 },
  ]);
  const answers = { timestep: 0, firstAnswer: 0, secondAnswer: 1 };
  assert.deepEqual(changedImages(first, second).objects(), [
    { ...answers, image: 1, label: 0, change: "right to wrong" },
    { ...answers, image: 2, label: 1, change: "wrong to right" },
    { ...answers, image: 3, label: 1, change: "wrong to right" },
  ]);
});

test("the difference is that of the accuracies; classes add up; turned around everything turns; itself has no change", () => {
  fc.assert(
    fc.property(smallTraces, (trace) => {
      // The same images, answered in the order of the classes turned around.
      const { logits, classes } = trace;
      const turned: Trace = {
        ...trace,
        logits: logits.map((_, i) => logits[i - (i % classes) + classes - 1 - (i % classes)] as number),
      };
      const [before, after] = [accuracyPerTimestep(trace), accuracyPerTimestep(turned)];
      const rows = rowsOf(traceChanges(trace, turned));
      const back = rowsOf(traceChanges(turned, trace));
      const classRows = rowsOf(traceChangesByClass(trace, turned));
      const images = changedImages(trace, turned);
      rows.forEach((row, t) => {
        assert.ok(Math.abs(row.difference - ((after[t] ?? NaN) - (before[t] ?? NaN))) < 1e-12);
        assert.deepEqual([row.wrongToRight, row.pValue], [back[t]?.rightToWrong, back[t]?.pValue]);
        const own = classRows.filter(({ timestep }) => timestep === t);
        assert.equal(
          own.reduce((sum, { wrongToRight }) => sum + wrongToRight, 0),
          row.wrongToRight,
        );
      });
      const all = rows.reduce((sum, { wrongToRight, rightToWrong }) => sum + wrongToRight + rightToWrong, 0);
      assert.equal(images.numRows(), all);
      assert.ok(
        rowsOf(traceChanges(trace, trace)).every(
          ({ difference, pValue }) => difference === 0 && pValue === 1,
        ),
      );
    }),
  );
});

test("traces of other images are refused; of unequal lengths the common timesteps are compared", () => {
  const others = { ...second, ids: Int32Array.of(0, 1, 2, 9) };
  for (const compare of [traceChanges, traceChangesByClass, changedImages])
    assert.throws(() => compare(first, others), UserError);
  const long = traceOfProbabilities(
    [
      [A, B, B, B],
      [B, B, B, B],
    ],
    [0, 0, 1, 1],
  );
  assert.deepEqual(traceChanges(first, long).objects(), traceChanges(first, traceOfFirst(long)).objects());
});

const traceOfFirst = (trace: Trace): Trace => ({
  ...traceFrom(trace, trace.timesteps - 1),
  logits: trace.logits.slice(0, trace.logits.length / trace.timesteps),
});

interface Row {
  readonly timestep: number;
  readonly wrongToRight: number;
  readonly rightToWrong: number;
  readonly difference: number;
  readonly pValue: number;
}
const rowsOf = (table: ReturnType<typeof traceChanges>): Row[] => table.objects({ limit: Infinity }) as Row[];

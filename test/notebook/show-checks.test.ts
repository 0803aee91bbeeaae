import assert from "node:assert/strict";
import { test } from "node:test";
import { findingsSummary } from "../../lib/notebook/show-findings.js";
import { assertSame } from "../../lib/notebook/show-checks.js";

test("numbers that differ by more than rounding are an error that names the first of them", () => {
  assertSame([
    { quantity: "accuracy", byHand: 0.1 + 0.2, library: 0.3 },
    { quantity: "nothing", byHand: NaN, library: NaN },
  ]);
  const right = { quantity: "one", byHand: 1, library: 1 };
  assert.throws(() => {
    assertSame([right, { quantity: "two", byHand: 2, library: 2.00001 }]);
  }, /^UserError: two: 2 by hand, 2\.00001 from the library$/);
  assert.throws(() => {
    assertSame([{ quantity: "none", byHand: NaN, library: 0 }]);
  }, /^UserError: none/);
});

test("the row above the findings counts them", () => {
  const finding = (comesOut: boolean) => ({ statement: "", measured: "", comesOut });
  assert.deepEqual(findingsSummary([finding(true), finding(false), finding(false)]), {
    verdict: "comes out in part",
    findings: 3,
    "come out": 1,
    "do not": 2,
  });
});

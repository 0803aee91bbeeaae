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

test("the row above the findings counts end points and others, and those of an older record", () => {
  const finding = (carries: boolean, outcome: "holds" | "does not hold") => ({
    statement: "",
    measured: "",
    by: "paper" as const,
    carries,
    contrasts: [],
    pValue: null,
    adjustedPValue: null,
    outcome,
  });
  assert.deepEqual(
    findingsSummary("in part", [
      finding(true, "holds"),
      finding(true, "does not hold"),
      finding(false, "does not hold"),
    ]),
    { verdict: "in part", "end points": 2, "of these hold": 1, "other findings": 1, "of those hold": 0 },
  );
  const former = { statement: "", measured: "", comesOut: true };
  assert.deepEqual(findingsSummary("by former rules", [former]), {
    verdict: "by former rules",
    "end points": 0,
    "of these hold": 0,
    "other findings": 1,
    "of those hold": 1,
  });
});

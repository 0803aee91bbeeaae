import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { checkAnalyses } from "../../../lib/experiments/parity/check-analyses.js";
import { UserError } from "../../../lib/util/errors.js";
import { changed } from "../../trace/made-traces.js";

const read = (): Record<string, unknown> =>
  JSON.parse(readFileSync("test/reference/analyses.json", "utf8")) as Record<string, unknown>;

test("the analyses meet every reference number", () => {
  const rows = checkAnalyses(read(), "analyses.json");
  assert.equal(rows.length, 7);
  for (const { quantity, error, passed } of rows) assert.ok(passed, `${quantity}: ${error}`);
});

test("a wrong, missing, shortened or unknown reference number is noticed", () => {
  const accuracy = read()["accuracyPerTimestep"] as number[];
  const errorOf = (accuracyPerTimestep: unknown): number | undefined =>
    checkAnalyses({ ...read(), accuracyPerTimestep }, "analyses.json").find(
      (row) => row.quantity === "accuracyPerTimestep",
    )?.error;
  assert.ok((errorOf(changed(accuracy, 2, 0.26)) ?? 0) > 1e-3);
  assert.equal(errorOf(accuracy.slice(1)), Infinity);
  assert.throws(() => errorOf(undefined), /accuracyPerTimestep/);
  assert.throws(() => checkAnalyses({ ...read(), surprise: 1 }, "analyses.json"), /"surprise"/);
  assert.throws(() => checkAnalyses("no object", "analyses.json"), UserError);
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { checkReferenceCase } from "../../../lib/experiments/parity/check-network.js";
import { parseReferenceCase } from "../../../lib/experiments/parity/reference-case.js";
import { hasOwnKernels } from "../../../lib/nn/backend/kernel-level.js";
import { UserError } from "../../../lib/util/errors.js";

// Without the own kernels the sums are float32's and a full-width network takes minutes.
const skip = hasOwnKernels ? false : "the own kernels are not compiled";

const read = (name: string): unknown => JSON.parse(readFileSync(`test/reference/${name}.json`, "utf8"));
const caseNamed = (name: string): ReturnType<typeof parseReferenceCase> =>
  parseReferenceCase(read(name), name);

function failures(reference: ReturnType<typeof parseReferenceCase>): string[] {
  return checkReferenceCase(reference).flatMap(({ passed, quantity }) => (passed ? [] : [quantity]));
}

test("the parallel network with internal classifiers meets every reference number", { skip }, () => {
  const rows = checkReferenceCase(caseNamed("parallel-multihead"));
  assert.equal(rows.length, 11);
  for (const { quantity, error, limit, passed } of rows)
    assert.ok(passed, `${quantity}: ${error} > ${String(limit)}`);
});

test("the serial network meets its reference numbers, and one gradient 1 % off is noticed", { skip }, () => {
  const reference = caseNamed("serial-osd");
  const [run] = reference.td;
  const gradient = run?.steps[1]?.gradients["stages.1.0.conv2.weight"];
  assert.ok(run !== undefined && gradient !== undefined);
  const largest = gradient.values.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
  gradient.values[gradient.values.indexOf(largest)] = 1.01 * largest;
  assert.deepEqual(failures({ ...reference, td: [run] }), ["gradients.1"]);
});

test("one logit off is noticed", { skip }, () => {
  const reference = { ...caseNamed("serial-osd"), td: [] };
  const row = reference.evalLogits[4]?.[2];
  assert.ok(row !== undefined);
  row[3] = 1.01 * (row[3] ?? NaN);
  assert.deepEqual(failures(reference), ["evalLogits"]);
});

test("a file that is no reference case is refused by name and field", () => {
  assert.throws(
    () => parseReferenceCase({ case: { name: "x" } }, "x.json"),
    (error) =>
      error instanceof UserError &&
      error.message.includes("x.json") &&
      error.message.includes("case.network"),
  );
});

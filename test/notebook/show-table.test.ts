import assert from "node:assert/strict";
import { from } from "arquero";
import { test } from "node:test";
import { tableBundle } from "../../lib/notebook/show-table.js";

const rows = [
  { model: "CascadedTD", accuracy: 0.9, steps: 9, error: 1.5e-7 },
  { model: "a<b & c", accuracy: 0.91234, steps: 10, error: null },
];

const EXPECTED = [
  "model       accuracy  steps     error",
  "CascadedTD    0.9000      9  1.500e-7",
  "a<b & c       0.9123     10",
].join("\n");

test("numbers are aligned at their points, text at the left", () => {
  assert.equal(tableBundle(rows)["text/plain"], EXPECTED);
});

test("arquero tables and data frames give the same table as their rows", () => {
  const frame = { columns: Object.keys(rows[0] ?? {}), values: rows.map((row) => Object.values(row)) };
  assert.deepEqual(tableBundle(from(rows)), tableBundle(rows));
  assert.deepEqual(tableBundle(frame), tableBundle(rows));
});

test("HTML is escaped, and rows beyond the limit are counted", () => {
  const html = String(tableBundle(rows)["text/html"]);
  assert.ok(html.includes("a&lt;b &amp; c") && html.includes('<td style="text-align:right">0.9123</td>'));
  assert.match(
    String(tableBundle(rows, { limit: 1 })["text/plain"]),
    /^model.*\nCascadedTD.*\nand 1 more rows$/,
  );
});

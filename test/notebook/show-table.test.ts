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

test("small numbers in a column of large ones keep their digits", () => {
  const text = String(tableBundle([{ v: 9000 }, { v: 0.2267 }, { v: 4.5 }])["text/plain"]);
  assert.deepEqual(text.split("\n"), ["       v", "9000.000", "   0.227", "   4.500"]);
});

test("the row labels of a data frame are its first column, where they are more than places", () => {
  const frame = { columns: ["a"], values: [1, 2], index: ["count", "mean"] };
  assert.equal(
    tableBundle(frame)["text/plain"],
    tableBundle([
      { "": "count", a: 1 },
      { "": "mean", a: 2 },
    ])["text/plain"],
  );
  const plain = { ...frame, index: [0, 1] };
  assert.equal(tableBundle(plain)["text/plain"], tableBundle([{ a: 1 }, { a: 2 }])["text/plain"]);
});

test("an arquero table keeps the order of its columns, numbers among their names too", () => {
  const table = from([{ model: "a", t: 1, share: 0.5 }])
    .groupby("model")
    .pivot("t", "share")
    .relocate("model", { before: "1" });
  assert.match(String(tableBundle(table)["text/plain"]), /^model +1\na/);
});

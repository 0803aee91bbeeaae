import assert from "node:assert/strict";
import { from } from "arquero";
import { test } from "node:test";
import { typedRows } from "../../lib/notebook/typed-rows.js";
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

test("no number is shown as a smaller number of digits than two, nor as zero", () => {
  const lines = (values: (number | bigint)[]): string[] =>
    String(tableBundle(values.map((v) => ({ v })))["text/plain"])
      .split("\n")
      .slice(1)
      .map((line) => line.trim());
  assert.deepEqual(lines([0.5, 1.23e-5, 0, 0.0123, -0.00042]), [
    "0.5000",
    "1.2e-5",
    "0.0000",
    "0.0123",
    "-4.2e-4",
  ]);
  assert.deepEqual(lines([1234567, 0.2267]), ["1234567.000", "0.227"]);
  assert.deepEqual(lines([12n, 7]), ["12", "7"]);
});

test("HTML is escaped, and rows beyond the limit are counted", () => {
  const html = String(tableBundle(rows)["text/html"]);
  assert.ok(
    html.includes("a&lt;b\u00a0&amp;\u00a0c") && html.includes('<td style="text-align:right">0.9123</td>'),
  );
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
  const numbered = { columns: ["model", "1", "0"], values: [["a", 2, 3]], index: ["x"] };
  assert.match(String(tableBundle(numbered)["text/plain"]), /^ +model +1 +0\nx +a +2 +3$/);
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

test("rows have the types that their reader names, checked", () => {
  const [row] = typedRows(from(rows), { model: "string", steps: "number" });
  // Both are known to the compiler.
  assert.equal(`${row?.model.toUpperCase()} ${row?.steps.toFixed(1)}`, "CASCADEDTD 9.0");
  assert.throws(
    () => typedRows(rows, { error: "number" }),
    /^UserError: row 1 of the table has null in column "error", where a number is expected$/,
  );
});

test("a column has no more decimals than show all of its numbers exactly", () => {
  const text = String(tableBundle([{ v: 0.5 }, { v: 0.75 }, { v: 2 }])["text/plain"]);
  assert.deepEqual(text.split("\n"), ["   v", "0.50", "0.75", "2.00"]);
});

test("texts that are read as numbers stand at the right, names and dates do not", () => {
  const isRight = (value: string): boolean =>
    String(tableBundle([{ v: value }])["text/html"]).includes('<td style="text-align:right');
  for (const text of ["+13.0", "38.2 ± 0.2", "42.5 (34.2)", "-0.118 [-0.191, -0.08]", "1.0e-5", "none", ""])
    assert.ok(isRight(text), text);
  for (const text of ["CascadedTD", "2026-11-26", "0, 1, 2", "t = 1", "1 of 2"])
    assert.ok(!isRight(text), text);
});

test("in a long text each clause has a line, and no line ends within '± 0.4' or 'n = 5'", () => {
  const clause = "CascadedTD over SDN +10.4 points (images ± 0.5; n = 5)";
  const html = String(tableBundle([{ measured: `${clause}; ${clause}` }])["text/html"]);
  const glued = clause.replaceAll(" ± ", "\u00a0±\u00a0").replaceAll(" = ", "\u00a0=\u00a0");
  assert.ok(html.includes(`${glued};<br>${glued}</td>`), html);
  assert.match(html, /<th style="text-align:left;min-width:/);
});

test("a short name is not broken at its hyphen", () => {
  assert.match(
    String(tableBundle([{ model: "SerialTD-MultiHead" }])["text/html"]),
    /<td style="[^"]*nowrap">/,
  );
});

import assert from "node:assert/strict";
import { tableFromIPC } from "@uwdata/flechette";
import { from } from "arquero";
import { parquetReadObjects } from "hyparquet";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { writeTable } from "../../../lib/experiments/export/table-file.js";
import { folderOfTests } from "../../temporary-folder.js";

const folder = folderOfTests("table-file-test");

const rows = [
  { model: 'A_1 & ü, "B"', seed: 0, area: 0.25, done: true, at: null },
  { model: "50 %", seed: 1, area: null, done: false, at: "2026-11-26" },
];
const written = async (name: string, table: object[] | ReturnType<typeof from> = rows): Promise<Buffer> => {
  await writeTable(table, join(folder, name));
  return readFileSync(join(folder, name));
};

test("each format gives back the rows, types and gaps that were written", async () => {
  assert.deepEqual(JSON.parse((await written("t.json")).toString()), rows);
  const arrow = tableFromIPC(await written("t.arrow"));
  assert.deepEqual(arrow.toArray(), rows);
  const parquet = await written("t.parquet");
  const file = parquet.buffer.slice(parquet.byteOffset, parquet.byteOffset + parquet.length) as ArrayBuffer;
  assert.deepEqual(await parquetReadObjects({ file }), rows);
  assert.equal(
    (await written("t.csv", from(rows))).toString(),
    'model,seed,area,done,at\n"A_1 & ü, ""B""",0,0.25,true,\n50 %,1,,false,2026-11-26\n',
  );
});

test("LaTeX has numbers at the right, and no character that it takes for its own", async () => {
  const lines = (await written("t.tex", [{ t_1: 0.5, model: "a&b 50% ± \\x" }])).toString().split("\n");
  assert.deepEqual(lines, [
    "\\begin{tabular}{rl}",
    "  \\toprule",
    "  t\\_1 & model \\\\",
    "  \\midrule",
    "  0.5 & a\\&b 50\\% $\\pm$ \\textbackslash{}x \\\\",
    "  \\bottomrule",
    "\\end{tabular}",
    "",
  ]);
});

test("a name that says no format is refused", async () => {
  await assert.rejects(
    written("t.xlsx"),
    /t\.xlsx says no format for a table: its name must end with \.csv, /,
  );
});

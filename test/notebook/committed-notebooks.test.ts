import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readNotebook } from "../../lib/notebook/notebook-file.js";

const folder = join(import.meta.dirname, "../../notebooks");

/** As many letters of code as a window of 1500 pixels shows beside the lab's list of files. */
const WIDEST = 120;

test("no line of code in a notebook is wider than its column", async () => {
  for (const name of readdirSync(folder).filter((one) => one.endsWith(".ipynb"))) {
    const { cells } = await readNotebook(join(folder, name));
    const lines = cells
      .filter((cell) => cell.cell_type === "code")
      .flatMap(({ source }) => source.split("\n"));
    assert.ok(lines.length > 0);
    assert.deepEqual(
      lines.filter(({ length }) => length > WIDEST),
      [],
      name,
    );
  }
});

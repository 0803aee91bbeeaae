import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { promisify } from "node:util";
import { readNotebook } from "../../lib/notebook/notebook-file.js";
import { runNotebook } from "../../lib/notebook/run.js";
import { partOrReason } from "../../lib/notebook/show-study.js";
import { folderOfTests } from "../temporary-folder.js";

const project = join(import.meta.dirname, "../..");
const isSetUp = existsSync(join(project, ".venv/share/jupyter/kernels/cascade"));
const skip = isSetUp ? false : "JupyterLab is not set up (npm run setup -- --with-lab)";

const folder = folderOfTests("not-tested");
before(async () => {
  const compiler = join(project, "node_modules/typescript/bin/tsc");
  await promisify(execFile)(process.execPath, [compiler, "--build", "lib"], { cwd: project });
});

const REASON = "2 of 2 trainings diverged: seeds 0, 1; no seed is left to compare";
const nothing = { findings: [], tables: [], figures: [], numbers: [] };

test("a part that a study lacks is an error that names those it has, unless nothing was tested", () => {
  const table = { name: "one", title: "One", rows: [] };
  assert.equal(partOrReason({ ...nothing, tables: [table] }, "table", "one"), table);
  assert.equal(
    partOrReason({ ...nothing, notTested: REASON }, "figure", "one"),
    `not tested here: ${REASON}`,
  );
  assert.throws(
    () => partOrReason({ ...nothing, tables: [table] }, "table", "two"),
    /^UserError: the study has no table "two"; it has one$/,
  );
});

test(
  "notebooks of studies of which nothing could be tested say so, and run to their end",
  { skip },
  async () => {
    const names = readdirSync(join(project, "notebooks")).filter((name) => /^0[3-9]-.*\.ipynb$/.test(name));
    assert.equal(names.length, 7);
    const result = JSON.stringify({ ...nothing, notTested: REASON });
    const without = (source: string): string => source.replace("await study.analyse()", result);
    const notebooks = await Promise.all(names.map((name) => readNotebook(join(project, "notebooks", name))));
    // All in one kernel, which is much sooner done.
    const cells = notebooks.flatMap(({ cells: own }, i) =>
      own
        .filter((cell) => cell.cell_type === "code" && showsResult(cell.source))
        .map((cell, j) => ({ ...cell, id: `cell-${i}-${j}`, metadata: {}, source: without(cell.source) })),
    );
    const [path, output] = [join(folder, "all.ipynb"), join(folder, "out.ipynb")];
    writeFileSync(path, JSON.stringify({ ...notebooks[0], cells }));
    await runNotebook(path, { output });
    const shown = notebookOutputs(readFileSync(output, "utf8"));
    for (let i = 0; i < names.length; i++)
      assert.ok(shown.get(i)?.includes(`not tested here: ${REASON}`), names[i]);
  },
);

/** Whether a cell imports, or is of the part that shows what the study found; what is worked out by hand needs runs. */
const showsResult = (source: string): boolean =>
  /from "anytime-cascade"|await study\.analyse\(|\(result\b/.test(source);

/** All outputs of each of the notebooks that the cells are from. */
function notebookOutputs(json: string): Map<number, string> {
  const { cells } = JSON.parse(json) as { readonly cells: readonly { id: string; outputs: unknown }[] };
  const texts = new Map<number, string>();
  for (const { id, outputs } of cells) {
    const notebook = Number(id.split("-")[1]);
    texts.set(notebook, `${texts.get(notebook) ?? ""}${JSON.stringify(outputs)}`);
  }
  return texts;
}

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { folderOfTests } from "../temporary-folder.js";

const project = join(import.meta.dirname, "../..");
const NOTEBOOK = "notebooks/12-an-experiment-of-your-own.ipynb";
const folder = folderOfTests("paper-test");

interface Output {
  readonly data?: Readonly<Record<string, string | readonly string[]>>;
}

/** The outputs of the notebook's cell with a label, in one form. */
function outputsOf(label: string, form: string): string {
  const { cells } = JSON.parse(readFileSync(join(project, NOTEBOOK), "utf8")) as {
    cells: { metadata: { label?: string }; outputs?: Output[] }[];
  };
  const outputs = cells.find(({ metadata }) => metadata.label === label)?.outputs ?? [];
  return outputs.map(({ data = {} }) => [data[form] ?? ""].flat().join("")).join("");
}

test("a paper in MyST has the notebook's figure and its table", () => {
  cpSync(join(project, "docs/paper"), join(folder, "docs/paper"), { recursive: true });
  mkdirSync(join(folder, "notebooks"));
  cpSync(join(project, NOTEBOOK), join(folder, NOTEBOOK));
  const paper = join(folder, "docs/paper");
  const { status, stdout } = spawnSync(
    join(project, "node_modules/.bin/myst"),
    ["build", "paper.md", "--tex"],
    {
      cwd: paper,
      encoding: "utf8",
    },
  );
  assert.equal(status, 0, stdout);
  const tex = readFileSync(join(paper, "build/paper.tex"), "utf8");
  const rows = outputsOf("runs-by-lambda", "text/plain").split("\n").slice(1);
  assert.equal(rows.length, 2);
  for (const row of rows) assert.ok(tex.includes(`${row.split(/ +/).join(" & ")} \\\\`), row);
  const [, image = ""] = /\\includegraphics\[[^\]]*\]\{(files\/\w+)\.\w+\}/.exec(tex) ?? [];
  const drawing = readFileSync(join(paper, "build", `${image}.svg`), "utf8");
  assert.equal(drawing.trim(), outputsOf("accuracy-by-lambda", "image/svg+xml").trim());
});

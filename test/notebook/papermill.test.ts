import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { folderOfTests } from "../temporary-folder.js";

const project = join(import.meta.dirname, "../..");
const bin = join(project, ".venv/bin");
const skip = existsSync(join(bin, "papermill"))
  ? false
  : "papermill is not set up (npm run setup -- --with-lab)";

const folder = folderOfTests("papermill-test");
const env = { ...process.env, JUPYTER_PREFER_ENV_PATH: "1" };
const call = (program: string, ...args: string[]) =>
  promisify(execFile)(join(bin, program), args, { env, cwd: folder });

const SOURCES = [
  "let seeds: number[] = [1]; // of the trainings\nlet name = 'none';",
  "console.log(JSON.stringify([seeds, name]));",
];
const notebook = join(folder, "n.ipynb");
const cells = SOURCES.map((source, i) => ({
  id: `c${i}`,
  cell_type: "code",
  metadata: i === 0 ? { tags: ["parameters"] } : {},
  source,
  execution_count: null,
  outputs: [],
}));
const kernelspec = { name: "cascade", display_name: "TypeScript (cascade)", language: "typescript" };
writeFileSync(notebook, JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: { kernelspec }, cells }));

test("papermill sets parameters of a TypeScript notebook", { skip }, async () => {
  const out = join(folder, "out.ipynb");
  await call("papermill", notebook, out, "-y", 'seeds: [2, 3]\nname: "a \\"quoted\\" ü\\n"');
  const { cells: done } = JSON.parse(readFileSync(out, "utf8")) as {
    cells: { source: string[]; outputs: { text: string | string[] }[]; execution_count: number }[];
  };
  assert.equal(done[1]?.source.join(""), '// Parameters\nseeds = [2, 3];\nname = "a \\"quoted\\" ü\\n";\n');
  const printed = [done[2]?.outputs[0]?.text].flat().join("");
  assert.deepEqual(JSON.parse(printed), [[2, 3], 'a "quoted" ü\n']);
  assert.deepEqual(
    done.map((cell) => cell.execution_count),
    [1, 2, 3],
  );
  const { stdout } = await call("papermill", "--help-notebook", notebook);
  assert.match(
    stdout,
    /seeds: number\[\] \(default \[1\]\)\s+of the trainings\n +name: Unknown type \(default 'none'\)/,
  );
});

test("jupytext pairs a notebook with a text file, there and back", { skip }, async () => {
  const text = join(folder, "n.ts");
  await call("jupytext", "--to", "ts:percent", "--output", text, notebook);
  assert.match(
    readFileSync(text, "utf8"),
    /\/\/ %% tags=\["parameters"\]\nlet seeds[^]*\/\/ %%\nconsole\.log/,
  );
  const back = join(folder, "back.ipynb");
  await call("jupytext", "--to", "ipynb", "--output", back, text);
  const { cells: read } = JSON.parse(readFileSync(back, "utf8")) as { cells: { source: string[] }[] };
  assert.deepEqual(
    read.map(({ source }) => source.join("")),
    SOURCES,
  );
});

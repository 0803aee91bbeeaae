import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { KernelNotStarted, runNotebook, withSecondStart } from "../../lib/notebook/run.js";
import { UserError } from "../../lib/util/errors.js";

const KERNEL = join(import.meta.dirname, "../../.venv/share/jupyter/kernels/cascade");
const skip = existsSync(KERNEL) ? false : "JupyterLab is not set up (npm run setup -- --with-lab)";

const folder = mkdtempSync(join(tmpdir(), "notebook-test-"));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

function write(name: string, sources: readonly string[], language = "typescript"): string {
  const path = join(folder, name);
  const cells = sources.map((source, i) => ({
    id: `cell-${i}`,
    cell_type: source.startsWith("#") ? "markdown" : "code",
    metadata: source.startsWith("let ") ? { tags: ["parameters"] } : {},
    source,
    ...(source.startsWith("#") ? {} : { execution_count: null, outputs: [] }),
  }));
  const kernelspec = { name: "cascade", display_name: "TypeScript (cascade)", language };
  writeFileSync(path, JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: { kernelspec }, cells }));
  return path;
}

interface Executed {
  readonly cells: {
    readonly source: string[];
    readonly execution_count?: number;
    readonly outputs?: { readonly text: string | string[] }[];
  }[];
}

test(
  "a notebook runs in the project's folder with its parameters, and is written with its outputs",
  { skip },
  async () => {
    const path = write("good.ipynb", [
      "# text",
      "let count = 1; let name = 'none'; let quick = false;".replaceAll("; let", ";\nlet"),
      'import { existsSync } from "node:fs";\nconsole.log(count + 1, name, quick, existsSync("lib/setup"));',
      "await new Promise((resolve) => setTimeout(resolve, 10));\nconsole.warn('a warning is no failure');",
    ]);
    const output = join(folder, "out.ipynb");
    const seen: string[] = [];
    await runNotebook(path, {
      parameters: { count: 41, name: "x" },
      output,
      onProgress: (cell, cells) => seen.push(`${cell}/${cells}`),
    });
    const { cells } = JSON.parse(readFileSync(output, "utf8")) as Executed;
    assert.deepEqual(
      cells.map((cell) => cell.execution_count),
      [undefined, 1, undefined, 3, 4],
    );
    assert.deepEqual(cells[2]?.source.slice(2), ["```ts\n", "count = 41;\n", 'name = "x";\n', "```"]);
    assert.equal([cells[3]?.outputs?.[0]?.text].flat().join(""), "42 x false true\n");
    assert.deepEqual(seen, ["1/4", "2/4", "3/4", "4/4"]);
  },
);

test("a kernel that did not start is started once more, and only then", async () => {
  const outcomes = async (...errors: (Error | undefined)[]): Promise<number> => {
    let runs = 0;
    await withSecondStart(() => {
      const error = errors[runs++];
      return error === undefined ? Promise.resolve() : Promise.reject(error);
    });
    return runs;
  };
  const unstarted = new KernelNotStarted("not started");
  assert.equal(await outcomes(undefined), 1);
  assert.equal(await outcomes(unstarted, undefined), 2);
  await assert.rejects(outcomes(unstarted, unstarted, undefined), unstarted);
  await assert.rejects(outcomes(new UserError("a cell failed"), undefined), /a cell failed/);
});

const failures = [
  {
    what: "an exception",
    source: 'throw new Error("boom");',
    said: /code cell 2 of 3 failed:[^]*throw new Error[^]*Error: boom/,
  },
  {
    what: "a type error",
    source: 'const n: number = "text";',
    said: /code cell 2 of 3 failed:[^]*is not assignable to type 'number'/,
  },
  { what: "the kernel's end", source: "process.exit(3);", said: /code cell 2 of 3 ended the kernel/ },
  {
    what: "a cell that does not end",
    source: "await new Promise(() => {});",
    said: /code cell 2 of 3 took longer than it may/,
  },
];
for (const { what, source, said } of failures) {
  test(`${what} is reported with its cell, and nothing is written`, { skip }, async () => {
    const path = write("bad.ipynb", ["const a = 1;", "# text", source, "const c = 3;"]);
    const before = readFileSync(path, "utf8");
    await assert.rejects(runNotebook(path, { output: path, timeout: 6 }), {
      name: "UserError",
      message: said,
    });
    assert.equal(readFileSync(path, "utf8"), before);
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.endsWith(".tmp")),
      [],
    );
  });
}

test("files that are no TypeScript notebooks are refused", async () => {
  const broken = join(folder, "broken.ipynb");
  writeFileSync(broken, '{"cells": [');
  await assert.rejects(runNotebook(broken), /broken\.ipynb is not a notebook of format 4 \(it is not JSON\)/);
  await assert.rejects(runNotebook(write("py.ipynb", [], "python")), /is a notebook for python/);
  await assert.rejects(
    runNotebook(join(folder, "none.ipynb")),
    /cannot read .*none\.ipynb: there is no such file/,
  );
});

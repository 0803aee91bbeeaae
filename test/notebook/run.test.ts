import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  lstatSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { notebookCommand } from "../../lib/cli/notebook.js";
import { KernelNotStarted, runNotebook, withSecondStart } from "../../lib/notebook/run.js";
import { UserError } from "../../lib/util/errors.js";
import { folderOfTests } from "../temporary-folder.js";

const KERNEL = join(import.meta.dirname, "../../.venv/share/jupyter/kernels/cascade");
const skip = existsSync(KERNEL) ? false : "JupyterLab is not set up (npm run setup -- --with-lab)";

const folder = folderOfTests("notebook-test");

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
      [undefined, 1, 3, 4],
    );
    const note = [cells[1]?.outputs?.[0]?.text].flat().join("");
    assert.match(note, /^The outputs below [^\n]*\ncount = 41;\nname = "x";\n$/);
    assert.equal([cells[2]?.outputs?.[0]?.text].flat().join(""), "42 x false true\n");
    assert.deepEqual(seen, ["1/4", "2/4", "3/4", "4/4"]);
  },
);

test("the time of a cell is told in whole seconds, as Jupyter counts them", async () => {
  const command = notebookCommand()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  await assert.rejects(
    command.parseAsync([join(folder, "none.ipynb"), "--timeout", "1.5"], { from: "user" }),
    /'--timeout <seconds>' argument '1\.5' is invalid\. it must be a whole number of at least 1/,
  );
});

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

/** A file that the notebook's code writes, or not. */
const written = join(folder, "written");
const later = `const later = async () => { await new Promise((resolve) => setTimeout(resolve, 300)); fs.writeFileSync("${written}", ""); };`;

test("what no cell waited for goes on to its end", { skip }, async () => {
  rmSync(written, { force: true });
  await runNotebook(write("left.ipynb", [`import * as fs from "node:fs";\n${later}`, "void later();"]));
  assert.ok(existsSync(written));
});

test("a promise at the end of a cell is waited for, and its failure is the cell's", { skip }, async () => {
  const path = write("promise.ipynb", [
    "const a = 1;",
    "Promise.resolve().then(() => { throw new Error('late'); });",
  ]);
  await assert.rejects(runNotebook(path), /code cell 2 of 2 failed:[^]*Error: late/);
});

const leftovers = [
  {
    what: "an error that no cell waited for",
    source:
      "void (async () => { await new Promise((r) => setTimeout(r, 50)); throw new Error('unheard'); })();",
    said: /code that none of them waited for failed; await it:\n +Error: unheard/,
  },
  {
    what: "work that does not end",
    source: "setInterval(() => {}, 100);",
    said: /what they began did not end: await it, and stop timers and servers/,
  },
];
for (const { what, source, said } of leftovers)
  test(`${what} is a failure, and nothing is written`, { skip }, async () => {
    const path = write("left.ipynb", [source, "const c = 3;"]);
    const output = join(folder, "left-out.ipynb");
    await assert.rejects(runNotebook(path, { output, timeout: 5 }), { name: "UserError", message: said });
    assert.ok(!existsSync(output));
  });

test("a cell that may fail does not keep those after it from running", { skip }, async () => {
  const sources = ["throw new Error('shown');", "console.log('ran');", "throw new Error('not shown');"];
  const path = write("raises.ipynb", sources);
  const notebook = JSON.parse(readFileSync(path, "utf8")) as { cells: { metadata: object }[] };
  Object.assign(notebook.cells[0]?.metadata ?? {}, { tags: ["raises-exception"] });
  writeFileSync(path, JSON.stringify(notebook));
  await assert.rejects(runNotebook(path), /code cell 3 of 3 failed:[^]*Error: not shown/);
  writeFileSync(path, JSON.stringify({ ...notebook, cells: notebook.cells.slice(0, 2) }));
  const output = join(folder, "raised.ipynb");
  await runNotebook(path, { output });
  const { cells } = JSON.parse(readFileSync(output, "utf8")) as Executed;
  assert.equal([cells[1]?.outputs?.[0]?.text].flat().join(""), "ran\n");
});

test(
  "a notebook is read and written whatever the locale, byte order mark, line ends and minor version",
  { skip },
  async () => {
    const path = write("text.ipynb", ["let name = 'none';", "console.log('ü 猫 λ “quoted”', name);"]);
    const notebook = JSON.parse(readFileSync(path, "utf8")) as { cells: { id?: string }[] };
    for (const cell of notebook.cells) delete cell.id;
    const older = JSON.stringify({ ...notebook, nbformat_minor: 4 }, null, 1);
    writeFileSync(path, `\uFEFF${older.replaceAll("\n", "\r\n")}`);
    chmodSync(path, 0o600);
    const link = join(folder, "link.ipynb");
    symlinkSync("text.ipynb", link);
    // What Python takes in a Latin-1 locale.
    process.env["PYTHONIOENCODING"] = "latin-1";
    try {
      await runNotebook(link, { output: link, parameters: { name: "é" } });
    } finally {
      delete process.env["PYTHONIOENCODING"];
    }
    assert.ok(lstatSync(link).isSymbolicLink());
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const { cells } = JSON.parse(readFileSync(path, "utf8")) as Executed;
    assert.equal(cells[1]?.source.join(""), "console.log('ü 猫 λ “quoted”', name);");
    assert.equal([cells[1].outputs?.[0]?.text].flat().join(""), "ü 猫 λ “quoted” é\n");
    assert.ok(cells.every((cell) => !("id" in cell)));
  },
);

test("programs that a cell starts may write to standard output", { skip }, async () => {
  const source = `import { execSync } from "node:child_process";\nexecSync("echo not an event", { stdio: "inherit" });`;
  await runNotebook(write("prints.ipynb", [source]));
});

test("an empty notebook runs, an empty file is refused", { skip }, async () => {
  await runNotebook(write("no-cells.ipynb", []));
  writeFileSync(join(folder, "empty.ipynb"), "\n");
  await assert.rejects(runNotebook(join(folder, "empty.ipynb")), /empty\.ipynb is empty/);
});

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

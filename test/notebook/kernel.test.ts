import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { promisify } from "node:util";
import { tinyRunSpec } from "../experiments/tiny-run.js";
import { folderOfTests } from "../temporary-folder.js";

const project = join(import.meta.dirname, "../..");
const isSetUp = existsSync(join(project, ".venv/share/jupyter/kernels/cascade"));
const skip = isSetUp ? false : "JupyterLab is not set up (npm run setup -- --with-lab)";

const folder = folderOfTests("kernel-test");
before(async () => {
  const compiler = join(project, "node_modules/typescript/bin/tsc");
  await promisify(execFile)(process.execPath, [compiler, "--build", "lib"], { cwd: project });
});

type Step =
  | { readonly run: readonly string[]; readonly goOn?: true }
  | { readonly interrupt: string; readonly at: string }
  | { readonly late: string; readonly at: string; readonly then: string }
  | { readonly end: string; readonly at: string; readonly by: "request" | "signal" };

interface Result {
  readonly cells: readonly { readonly status: string; readonly text: string }[];
  readonly states: readonly (readonly [number, string])[];
  readonly alive: boolean;
}

/** What the kernel answers to each step, in one session. */
async function session(...steps: Step[]): Promise<Result[]> {
  const python = join(project, ".venv/bin/python");
  const argv = [join(import.meta.dirname, "kernel-session.py"), JSON.stringify(steps)];
  const env = { ...process.env, JUPYTER_PREFER_ENV_PATH: "1" };
  const { stdout } = await promisify(execFile)(python, argv, { env });
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Result);
}

const textOf = (result: Result | undefined): string => result?.cells.map(({ text }) => text).join("") ?? "";
const statusesOf = (result: Result | undefined): string[] => result?.cells.map(({ status }) => status) ?? [];

test("code is interrupted wherever it is, and the kernel and its variables live", { skip }, async () => {
  const interrupted = [
    { interrupt: "console.log('spins'); while (true) {}", at: "spins" },
    { interrupt: "console.log('waits'); await new Promise(() => {});", at: "waits" },
    {
      interrupt:
        "await new Promise((resolve) => setTimeout(resolve, 10)); console.log('spins'); while (true) {}",
      at: "spins",
    },
    // As libraries do that clean up at the end of the process.
    {
      interrupt: "process.on('SIGINT', () => {}); console.log('waits'); await new Promise(() => {});",
      at: "waits",
    },
    { interrupt: "console.log('waits');\nnew Promise(() => {})", at: "waits" },
  ];
  const results = await session({ run: ["let kept = 41;"] }, ...interrupted, { run: ["kept + 1"] });
  assert.equal(results.length, 7);
  for (const result of results.slice(1, -1)) assert.deepEqual(statusesOf(result), ["error"], textOf(result));
  assert.equal(textOf(results.at(-1)), "42\n");
});

test("an interrupt that is heard of late does not reach the cell after it", { skip }, async () => {
  const then =
    "console.log('waits'); await new Promise((resolve) => setTimeout(resolve, 1500)); console.log('ends');";
  const first = [
    // Node catches it itself.
    "console.log('waits'); const end = Date.now() + 5000; while (Date.now() < end) {}",
    // The process is told of it.
    "await new Promise((resolve) => setTimeout(resolve, 300)); console.log('waits'); await new Promise(() => {});",
  ];
  const next = { interrupt: "console.log('waits'); await new Promise(() => {});", at: "waits" };
  const results = await session(...first.map((late) => ({ late, at: "waits", then })), next);
  for (const late of results.slice(0, 2)) {
    assert.deepEqual(statusesOf(late), ["error", "ok"], textOf(late));
    assert.match(textOf(late), /ends\n$/);
  }
  assert.deepEqual(statusesOf(results.at(-1)), ["error"]);
});

test(
  "an interrupted training commits its step, no other begins, and the same cell goes on from there",
  { skip },
  async () => {
    const specs = [0, 1].map((seed) => ({
      ...tinyRunSpec("cascaded-td", { train: { epochs: 5000 } }),
      seed,
    }));
    const root = join(folder, "runs");
    const training = `
      import { trainingRun, parseRunSpec } from "anytime-cascade";
      import * as fs from "node:fs";
      const watch = setInterval(() => {
        const runs = fs.existsSync("${root}") ? fs.readdirSync("${root}") : [];
        if (!runs.some((run) => fs.readdirSync("${root}/" + run).some((name) => name.endsWith(".safetensors")))) return;
        console.log("committed");
        clearInterval(watch);
      }, 5);
      for (const spec of ${JSON.stringify(specs)})
        try {
          await trainingRun(parseRunSpec(spec, "test"), { root: "${root}", quiet: true });
        } catch (error) {
          console.log(String(error));
        }`;
    const steps: Step[] = [
      { run: ["let kept = 41;"] },
      { interrupt: training, at: "committed" },
      { run: ["kept + 1"] },
      { interrupt: training, at: "goes on after step" },
    ];
    const [, first, kept, second] = await session(...steps);
    const step =
      /stopped after step (\d+) of 20000; its state is saved/.exec(textOf(first))?.[1] ?? "no step";
    assert.match(textOf(first), /stopped before its first step/);
    assert.equal(textOf(kept), "42\n");
    assert.match(textOf(second), new RegExp(`goes on after step ${step} of 20000`));
    assert.equal(readdirSync(root).length, 1);
  },
);

for (const by of ["request", "signal"] as const)
  test(`a training in a kernel that is ended by a ${by} commits its step`, { skip }, async () => {
    // One long epoch: no step is committed but the one at hand when training stops.
    const spec = tinyRunSpec("cascaded-td", { data: { train: 40_000 }, train: { epochs: 1 } });
    const root = join(folder, by);
    const training = `
      import { trainingRun, parseRunSpec } from "anytime-cascade";
      import * as fs from "node:fs";
      const watch = setInterval(() => {
        const runs = fs.existsSync("${root}") ? fs.readdirSync("${root}") : [];
        if (!runs.some((run) => fs.statSync("${root}/" + run + "/metrics.jsonl", { throwIfNoEntry: false })?.size)) return;
        console.log("trains");
        clearInterval(watch);
      }, 5);
      await trainingRun(parseRunSpec(${JSON.stringify(spec)}, "test"), { root: "${root}", quiet: true });`;
    const [result] = await session({ end: training, at: "trains", by });
    assert.equal(result?.alive, false);
    const [run = "no run"] = readdirSync(root);
    const steps = readdirSync(join(root, run)).flatMap(
      (name) => /^checkpoint-(\d+)\.safetensors$/.exec(name)?.[1] ?? [],
    );
    assert.equal(steps.length, 1, readdirSync(join(root, run)).join(" "));
    assert.ok(Number(steps[0]) >= 10 && Number(steps[0]) < 2187, steps[0]);
  });

test("a failed cell stops those sent with it, not those sent after its answer", { skip }, async () => {
  const [together, later, tolerant] = await session(
    { run: ["const a = 1;", "throw new Error('on purpose');", "console.log('after it');"] },
    { run: ["console.log('later');"] },
    { run: ["throw new Error('on purpose');", "console.log('after it');"], goOn: true },
  );
  assert.deepEqual(statusesOf(together), ["ok", "error", "aborted"]);
  assert.match(textOf(together), /Error: on purpose\n +at cell-2:1:7\n/);
  assert.doesNotMatch(textOf(together), /after it|tslab|handler/);
  assert.deepEqual(statusesOf(later), ["ok"]);
  assert.deepEqual(statusesOf(tolerant), ["error", "ok"]);
  assert.match(textOf(tolerant), /after it/);
});

test("the kernel says that it is busy for as long as a cell runs, cell by cell", { skip }, async () => {
  const wait = "await new Promise((resolve) => setTimeout(resolve, 50));";
  const [result] = await session({ run: [wait, wait] });
  assert.deepEqual(result?.states, [
    [0, "busy"],
    [0, "idle"],
    [1, "busy"],
    [1, "idle"],
  ]);
});

test(
  "an error is told in the cell's own lines; one meant for the reader is one sentence",
  { skip },
  async () => {
    const [first, thrown, found, user, text] = await session(
      { run: ["import { UserError } from 'anytime-cascade';\nlet a = 1, b = 2;"] },
      {
        run: [
          [
            "interface Gone {",
            "  x: number;",
            "}",
            "const c = 3; const both = { a, b, c };",
            "await Promise.resolve();",
            "function fails(g: Gone) { throw new RangeError(String(g.x)); }",
            "  fails({ x: both.a + both.b + both.c });",
          ].join("\n"),
        ],
      },
      { run: ["const d = { a, b };\nconst e = { a, b }.missing;"] },
      { run: ["throw new UserError('seeds must be whole numbers');"] },
      { run: ["throw 'a text';"] },
    );
    assert.deepEqual(statusesOf(first), ["ok"], textOf(first));
    assert.match(textOf(thrown), /^RangeError: 6\n +at fails \(cell-2:6:33\)\n +at cell-2:7:3\n$/);
    assert.match(textOf(found), /^line 2, column 20: Property 'missing' does not exist/);
    assert.equal(textOf(user), "UserError: seeds must be whole numbers\n");
    assert.equal(textOf(text), "Error: the cell threw 'a text'\n");
  },
);

test("cells run on when the library is built anew under the kernel", { skip }, async () => {
  const rebuilt = `
    import * as fs from "node:fs";
    const changed = new Date();
    for (const name of fs.readdirSync("lib/dist/util")) fs.utimesSync("lib/dist/util/" + name, changed, changed);
    await new Promise((resolve) => setTimeout(resolve, 3000));`;
  const results = await session(
    { run: ["import { mean } from 'anytime-cascade';"] },
    { run: [rebuilt] },
    { run: ["mean([1, 3])"] },
    { run: ["mean([1, 5])"] },
  );
  assert.deepEqual(results.slice(2).map(textOf), ["2\n", "3\n"]);
});

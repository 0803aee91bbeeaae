import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { before, test } from "node:test";
import { promisify } from "node:util";
import { namedSources } from "../../lib/cli/data-options.js";
import { smallImageFolder, writeTree } from "../datasets/fixtures.js";
import { temporaryFolder } from "../temporary-folder.js";

const project = resolve(import.meta.dirname, "..", "..");

before(async () => {
  const compiler = join(project, "node_modules/typescript/bin/tsc");
  await promisify(execFile)(process.execPath, [compiler, "--build", "lib"], { cwd: project });
});

/** Runs `cascade replicate <words>` in `folder`. */
async function replicate(
  folder: string,
  ...words: string[]
): Promise<{ out: string; err: string; code: number }> {
  const argv = [join(project, "lib/cli/cascade.mjs"), "replicate", ...words];
  return promisify(execFile)(process.execPath, argv, { cwd: folder }).then(
    ({ stdout, stderr }) => ({ out: stdout, err: stderr, code: 0 }),
    (error: unknown) => {
      const { stdout, stderr, code } = error as { stdout: string; stderr: string; code: number };
      return { out: stdout, err: stderr, code };
    },
  );
}

test("an image folder given for cifar10 is the folder itself, with its C-scores, under that name", async (context) => {
  const folder = await temporaryFolder(context);
  await writeTree(folder, await smallImageFolder());
  const scores = join(await temporaryFolder(context), "scores.npz");
  writeFileSync(scores, "");
  const source = { kind: "folder", path: folder, cScores: scores, onBroken: "fail" };
  assert.deepEqual(await namedSources([`cifar10=${folder}`], [scores]), [{ name: "cifar10", source }]);
  const both = await namedSources(["procedural", `cifar10=${folder}`], [scores]);
  assert.deepEqual(
    both.map(({ name }) => name),
    ["procedural", "cifar10"],
  );
  assert.deepEqual(both[1]?.source, source);
  const [named] = await namedSources([`cifar100=${folder}`, "procedural"], [`cifar100=${scores}`]);
  assert.deepEqual(named, { name: "cifar100", source });
  const refused = (texts: readonly string[], cScores: readonly string[], message: RegExp) =>
    assert.rejects(namedSources(texts, cScores), message);
  await refused(["procedural", "procedural"], [], /^UserError: --data names procedural twice/);
  await refused(["procedural"], [`cifar10=${scores}`], /--c-scores are for cifar10, which no --data names/);
  await refused([folder, "procedural"], [scores], /--c-scores are for cifar10, which no --data names/);
  await refused([`cifar10=${folder}`], ["nowhere.npz"], /there is no file nowhere\.npz/);
});

test("a plan of the full protocol needs no data, and says what its hours rest on", async (context) => {
  const folder = await temporaryFolder(context);
  const benchmark = join(project, "data/results/benchmark.json");
  const words = ["--protocol", "full", "--plan", "--benchmark", benchmark, "--gpu-speed", "60"];
  const { out, err, code } = await replicate(folder, ...words);
  assert.equal(code, 0, err);
  for (const text of [
    /^data +study +trainings +images +multiply-adds +hours here +hours, GPU$/m,
    /^all +\d+ +[\d,]+ +[\d.e+]+ +[\d.]+ +[\d.]+$/m,
    /speeds measured .*benchmark\.json/,
    /at 60 G multiply-adds\/s[^]*H200/,
  ])
    assert.match(out, text);
  assert.equal(existsSync(join(folder, "data")), false);
});

test("what cannot be done is refused in one line", async (context) => {
  const folder = await temporaryFolder(context);
  for (const [words, message] of [
    [["--protocol", "reduced"], /^cascade: protocol reduced has no data to work on: cifar10 \(.*\n$/],
    [["--only", "none"], /^cascade: there is no study "none"; there are .*\n$/],
    [["--data", "imagenet=x"], /^cascade: no such data source: imagenet=x/],
    [["--seeds", "0,x"], /--seeds <list>' argument '0,x' is invalid\. it must be a whole number/],
    [["--seeds", "1,2,"], /--seeds <list>' argument '1,2,' is invalid\. it must be a whole number/],
    [["--seeds", "1,2,1"], /--seeds <list>' argument '1,2,1' is invalid\. it names 1 twice\./],
    [["--protocol", "huge"], /'huge' is invalid\. Allowed choices are quick, reduced, settled, full\./],
    [["--plan", "--gpu-speed", "0"], /it must be a number from 0\.1 to 1000000/],
    [["--plan", "--benchmark", "none.json"], /^cascade: cannot read none\.json: there is no such file/],
  ] as const) {
    const { err, code } = await replicate(folder, ...words);
    assert.match(err, message, words.join(" "));
    assert.equal(code, 1, words.join(" "));
  }
  assert.equal(existsSync(join(folder, "data", "runs")), false);
});

test("where trainings cannot write, the command says so and ends", async (context) => {
  const folder = await temporaryFolder(context);
  mkdirSync(join(folder, "runs"));
  writeFileSync(join(folder, "runs", "logs"), "a file where a folder must be");
  const words = ["--only", "six-models", "--seeds", "0", "--runs", "runs"];
  const { err, code } = await replicate(folder, ...words);
  assert.match(err, /^ordinary-ce-\w+: cannot write runs\/logs\/.*\.log: .*$/m);
  assert.equal(code, 1);
});

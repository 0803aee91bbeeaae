import assert from "node:assert/strict";
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { METRICS } from "../../../lib/experiments/runs/done-record.js";
import { readRun } from "../../../lib/experiments/runs/run-record.js";
import { openRun, type Run } from "../../../lib/experiments/runs/run-store.js";
import { sha256OfFile } from "../../../lib/util/files.js";
import { userError } from "../../user-error.js";
import { SPEC, stateAfter } from "./run-store-fixture.js";
import { withReplaced } from "../../replaced-builtin.js";
import { folderOfTests } from "../../temporary-folder.js";

const folder = folderOfTests("run-damage");

function emptyRoot(): string {
  return mkdtempSync(join(folder, "root-"));
}

function openTest(root: string, warnings: string[] = [], spec: unknown = SPEC): Promise<Run> {
  return openRun({ root, name: "run", spec, warn: (message) => warnings.push(message) });
}

/** A released run with two lines of metrics before each of its checkpoints, at steps 2 and 4. */
async function begunRun(
  root = emptyRoot(),
  spec: unknown = SPEC,
): Promise<{ root: string; directory: string }> {
  const run = await openTest(root, [], spec);
  await run.writeArtifact("data.json", "{}");
  for (const step of [1, 2, 3, 4]) {
    run.appendMetrics({ step, loss: 1 / step });
    if (step % 2 === 0) await run.saveCheckpoint(step, stateAfter(step), {});
  }
  await run.release();
  return { root, directory: run.directory };
}

async function finishedRun(): Promise<string> {
  const { root, directory } = await begunRun();
  const run = await openTest(root);
  await run.finish({ accuracy: [0.25, 0.5] });
  await run.release();
  return directory;
}

function edit(path: string, change: (text: string) => string): void {
  writeFileSync(path, change(readFileSync(path, "utf8")));
}

const METRICS_DAMAGE: Readonly<Record<string, (path: string) => void>> = {
  removed: (path) => {
    rmSync(path);
  },
  cut: (path) => {
    edit(path, (text) => text.slice(0, text.indexOf("\n") + 1));
  },
  "with a line twice": (path) => {
    edit(path, (text) => text.replace(/^(.*\n)/, "$1$1"));
  },
  "with another number": (path) => {
    edit(path, (text) => text.replace("0.5", "0.6"));
  },
};

for (const [damage, harm] of Object.entries(METRICS_DAMAGE)) {
  test(`metrics ${damage} between two calls are named, and no checkpoint that builds upon them is used`, async () => {
    const { root, directory } = await begunRun();
    harm(join(directory, METRICS));
    const run = await openTest(root);
    await assert.rejects(
      run.latestCheckpoint(),
      userError(/metrics\.jsonl does not hold any more what it held at step 4/),
    );
    await run.release();
  });

  test(`metrics ${damage} while the run is written end it before its next checkpoint, and before its end`, async () => {
    for (const end of [
      (run: Run) => run.saveCheckpoint(5, stateAfter(5), {}),
      (run: Run) => run.finish({}),
    ]) {
      const run = await openTest(emptyRoot());
      for (const step of [1, 2]) run.appendMetrics({ step, loss: 1 / step });
      harm(join(run.directory, METRICS));
      await assert.rejects(
        end(run),
        userError(/^metrics\.jsonl in .* was deleted or changed by something else/),
      );
      assert.equal(run.isDone(), false);
      await run.release();
    }
  });
}

test("what was damaged after the checkpoint before the newest falls back to that one", async () => {
  const { root, directory } = await begunRun();
  edit(join(directory, METRICS), (text) => text.replace('"step":3', '"step":9'));
  const warnings: string[] = [];
  const run = await openTest(root, warnings);
  assert.equal((await run.latestCheckpoint())?.step, 2);
  assert.match(warnings.join(), /held at step 4, so .* is of no use; going back to step 2/);
  await run.release();
});

test("data.json changed between two calls is named", async () => {
  const { root, directory } = await begunRun();
  writeFileSync(join(directory, "data.json"), '{"hash":"another"}');
  const run = await openTest(root);
  await assert.rejects(run.latestCheckpoint(), userError(/data\.json does not hold any more/));
  await run.release();
});

for (const name of ["spec.json", "environment.json", "data.json"])
  test(`${name} deleted while the run is written is named, and the same call goes on`, async () => {
    const { root, directory } = await begunRun();
    const run = await openTest(root);
    await run.latestCheckpoint();
    rmSync(join(directory, name));
    await assert.rejects(
      run.saveCheckpoint(5, stateAfter(5), {}),
      userError(new RegExp(`^${name} in .* was deleted`)),
    );
    await assert.rejects(run.finish({}), userError(new RegExp(`^${name} in .* was deleted`)));
    await run.release();
    const again = await openTest(root);
    if (name === "data.json") await again.writeArtifact(name, "{}");
    assert.equal((await again.latestCheckpoint())?.step, 4);
    await again.finish({});
    await again.verify();
    await again.release();
  });

test("a file deleted between the last look at it and the end of the run is missed by who reads the run", async () => {
  const { root, directory } = await begunRun();
  const run = await openTest(root);
  await run.latestCheckpoint();
  await withReplaced(
    "readdirSync",
    (readdirSync) =>
      ((...args: Parameters<typeof readdirSync>) => {
        rmSync(join(directory, "data.json"), { force: true });
        return readdirSync(...args);
      }) as typeof readdirSync,
    () => run.finish({}),
  );
  await run.release();
  await assert.rejects(readRun(directory).verify(), userError(/data\.json is missing/));
});

test("the whole folder deleted while the run is written is named, and nothing is left that the next call would go on from", async () => {
  const { root, directory } = await begunRun();
  const run = await openTest(root);
  rmSync(directory, { recursive: true });
  await assert.rejects(run.saveCheckpoint(5, stateAfter(5), {}), userError(/deleted or changed|was lost/));
  await run.release().catch(() => undefined);
  const anew = await openTest(root);
  assert.equal(await anew.latestCheckpoint(), null);
  await anew.release();
});

/** Gives a checkpoint another name, with a checksum file that fits. */
async function renamed(from: string, to: string): Promise<void> {
  copyFileSync(from, to);
  writeFileSync(`${to}.sha256`, `${await sha256OfFile(to)}  x\n`);
}

test("a checkpoint under another step's name, and one of another run, are passed over", async () => {
  const { root, directory } = await begunRun();
  const other = await begunRun(emptyRoot(), { ...SPEC, seed: 2 });
  await renamed(join(directory, "checkpoint-4.safetensors"), join(directory, "checkpoint-99999.safetensors"));
  await renamed(
    join(other.directory, "checkpoint-4.safetensors"),
    join(directory, "checkpoint-5.safetensors"),
  );
  const warnings: string[] = [];
  const run = await openTest(root, warnings);
  assert.equal((await run.latestCheckpoint())?.step, 4);
  assert.match(warnings.join("\n"), /99999\.safetensors is the checkpoint of step 4 under another name/);
  assert.match(
    warnings.join("\n"),
    /checkpoint-5\.safetensors is not of this run but of the one with hash [0-9a-f]{12}/,
  );
  await run.release();
});

for (const [what, change, message] of [
  ["an edited accuracy", (text: string) => text.replace("0.25", "0.75"), /does not fit its own sum/],
  [
    "no files",
    (text: string) => text.replace(/"files": \{[^}]*\}/, '"files": {}'),
    /does not fit its own sum/,
  ],
  [
    "neither files nor a sum",
    (text: string) => text.replace(/"files": \{[^}]*\},\s*"sum": "\w+"/, '"files": {}'),
    /gives no sum of spec\.json, environment\.json, metrics\.jsonl/,
  ],
] as const)
  test(`DONE.json with ${what} is refused`, async () => {
    const directory = await finishedRun();
    edit(join(directory, "DONE.json"), change);
    assert.throws(() => readRun(directory).done, userError(message));
    await assert.rejects(readRun(directory).verify(), userError(message));
  });

test("a finished run of the former form, whose DONE.json has no sum, is read and said to be unverified", async () => {
  const directory = await finishedRun();
  assert.equal(readRun(directory).isUnverified(), false);
  edit(join(directory, "DONE.json"), (text) => text.replace(/,\s*"sum": "\w+"/, ""));
  assert.equal(readRun(directory).isUnverified(), true);
  await readRun(directory).verify();
});

test("spec, environment, metrics and data.json of a finished run are read only as they were written", async () => {
  const whole = await finishedRun();
  const reads = {
    "spec.json": (directory: string) => readRun(directory).spec,
    "environment.json": (directory: string) => readRun(directory).environments,
    [METRICS]: (directory: string) => readRun(directory).readMetrics(),
  };
  for (const [name, read] of Object.entries(reads)) {
    const directory = join(emptyRoot(), "run");
    cpSync(whole, directory, { recursive: true });
    read(directory);
    edit(join(directory, name), (text) => `${text} `);
    assert.throws(
      () => read(directory),
      userError(new RegExp(`is damaged: ${name} has changed; delete the folder`)),
    );
  }
});

test("results are verified without the checkpoints, a whole run with them", async () => {
  const directory = await finishedRun();
  rmSync(join(directory, "checkpoint-2.safetensors"));
  await readRun(directory).verifyResults();
  await assert.rejects(readRun(directory).verify(), userError(/checkpoint-2\.safetensors is missing/));
});

test("a folder within a run does not keep it from its end", async () => {
  const { root, directory } = await begunRun();
  mkdirSync(join(directory, "notes"));
  const run = await openTest(root);
  await run.finish({});
  await run.verify();
  await run.release();
});

test("a checkpoint of the former form, without a bond, is used and said to be unverified", async () => {
  const { root, directory } = await begunRun();
  const path = join(directory, "checkpoint-4.safetensors");
  // As long as before, so that the header stays whole.
  writeFileSync(path, readFileSync(path, "latin1").replace("belongs-to", "former-one"), "latin1");
  renameSync(path, `${path}.x`);
  await renamed(`${path}.x`, path);
  const warnings: string[] = [];
  const run = await openTest(root, warnings);
  assert.equal((await run.latestCheckpoint())?.step, 4);
  assert.match(warnings.join(), /of a former form, unverified/);
  await run.release();
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync, truncateSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { type Run } from "../../../lib/experiments/runs/run-store.js";
import { stateAfter } from "./run-store-fixture.js";
import { emptyRoot, openTest, checkpointedRoot, flipByte, userError } from "./run-store-helpers.js";

const FULL_DISK_CHILD = join(import.meta.dirname, "full-disk-child.ts");

for (const [damage, harm] of [
  ["a flipped byte", flipByte],
  [
    "a truncated file",
    (path: string) => {
      truncateSync(path, 1000);
    },
  ],
  [
    "an empty file",
    (path: string) => {
      truncateSync(path, 0);
    },
  ],
  [
    "a lost checksum",
    (path: string) => {
      rmSync(`${path}.sha256`);
    },
  ],
] as const) {
  test(`${damage} in the newest checkpoint falls back to the one before, with a warning`, async () => {
    const { root, newest } = await checkpointedRoot();
    harm(newest);
    const warnings: string[] = [];
    const run = await openTest(root, warnings);
    const checkpoint = await run.latestCheckpoint();
    assert.equal(checkpoint?.step, 5);
    assert.deepEqual(checkpoint.tensors, stateAfter(5));
    assert.deepEqual(checkpoint.metadata, { epoch: "5" });
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /checkpoint-10\.safetensors is damaged: .*; going back to step 5/);

    // The damaged one is passed over again, never counted as one of the two that are kept.
    await run.saveCheckpoint(12, stateAfter(12), {});
    assert.deepEqual(checkpointNames(run), ["checkpoint-12.safetensors", "checkpoint-5.safetensors"]);
    await run.release();
  });
}

test("with both checkpoints damaged there is one clear error that names both", async () => {
  const { root, newest, previous } = await checkpointedRoot();
  flipByte(newest);
  flipByte(previous);
  const run = await openTest(root);
  await assert.rejects(
    run.latestCheckpoint(),
    userError(
      /no usable checkpoint is left in .*checkpoint-10\.safetensors is damaged.*checkpoint-5\.safetensors is damaged.*delete the folder/,
    ),
  );
  await run.release();
});

function checkpointNames(run: Run): string[] {
  return readdirSync(run.directory)
    .filter((name) => name.endsWith(".safetensors"))
    .sort();
}

test("the last two checkpoints are kept, and one of the same step is replaced", async () => {
  const root = emptyRoot();
  const run = await openTest(root);
  assert.equal(await run.latestCheckpoint(), null);
  for (const step of [5, 10, 15, 15]) await run.saveCheckpoint(step, stateAfter(step), {});
  assert.deepEqual(checkpointNames(run), ["checkpoint-10.safetensors", "checkpoint-15.safetensors"]);
  await run.saveCheckpoint(15, stateAfter(99), { replaced: "yes" });
  const latest = await run.latestCheckpoint();
  assert.deepEqual(
    [latest?.step, latest?.tensors, latest?.metadata],
    [15, stateAfter(99), { replaced: "yes" }],
  );
  await run.release();
  const { status, stdout } = spawnSync("sha256sum", ["-c", "checkpoint-10.safetensors.sha256"], {
    cwd: run.directory,
  });
  assert.equal(status, 0, stdout.toString());
});

test("replacing a checkpoint of the same step leaves one of the two at any instant", async (t) => {
  const root = emptyRoot();
  const run = await openTest(root);
  await run.saveCheckpoint(5, stateAfter(5), {});
  for (const failing of [1, 2, 3, 4]) {
    await fillDisk(t, (call) => call === failing);
    await assert.rejects(run.saveCheckpoint(5, stateAfter(failing), {}), userError(/the disk is full/));
    t.mock.restoreAll();
    assert.equal((await run.latestCheckpoint())?.step, 5);
  }
  await run.release();
});

/** Lets those of the coming file writes fail for which `fails` holds, counted from 1. */
async function fillDisk(t: TestContext, fails: (call: number) => boolean): Promise<void> {
  const handle = await open(import.meta.filename);
  await handle.close();
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  let calls = 0;
  t.mock.method(prototype, "writeFile", function (this: FileHandle, data: Uint8Array | string) {
    if (!fails(++calls)) return this.appendFile(data);
    return Promise.reject(Object.assign(new Error("no space left"), { code: "ENOSPC" }));
  });
}

test("a disk that fills up while a checkpoint is written leaves the one before usable", async (t) => {
  const { root } = await checkpointedRoot();
  const warnings: string[] = [];
  const run = await openTest(root, warnings);
  await fillDisk(t, (call) => call >= 4);
  await assert.rejects(
    run.saveCheckpoint(15, stateAfter(15), {}),
    userError(/^cannot write .*checkpoint-15\.safetensors: the disk is full; free some space and try again$/),
  );
  t.mock.restoreAll();
  assert.equal((await run.latestCheckpoint())?.step, 10);
  assert.deepEqual(warnings, []);
  assert.deepEqual(checkpointNames(run), ["checkpoint-10.safetensors", "checkpoint-5.safetensors"]);
  await run.saveCheckpoint(15, stateAfter(15), {});
  await run.release();
});

test("a really full file system gives clear errors and harms nothing", (t: TestContext) => {
  const mountPoint = emptyRoot();
  const inMount = (command: string): string[] => [
    "-rm",
    "sh",
    "-c",
    `mount -t tmpfs -o size=1500k none "$0" && ${command}`,
    mountPoint,
  ];
  if (spawnSync("unshare", inMount("true")).status !== 0) {
    t.skip("this system lets no ordinary user mount a small file system");
    return;
  }
  const command = `exec '${process.execPath}' --import tsx '${FULL_DISK_CHILD}' "$0"`;
  const { stdout, stderr } = spawnSync("unshare", inMount(command), { encoding: "utf8" });
  assert.equal(stderr, "");
  const seen = JSON.parse(stdout) as {
    errors: Record<string, string>;
    warnings: string[];
    savedStep: number;
    leftStep: number;
    appendedStep: number;
    metricsSteps: number;
  };
  for (const message of Object.values(seen.errors))
    assert.match(message, /^cannot write .*: the disk is full; free some space/);
  assert.deepEqual(seen.warnings, []);
  assert.equal(seen.leftStep, seen.savedStep);
  assert.equal(seen.metricsSteps, seen.appendedStep);
});

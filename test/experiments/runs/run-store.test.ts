import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { listRuns, readRun } from "../../../lib/experiments/runs/run-record.js";
import { openRun, type Run } from "../../../lib/experiments/runs/run-store.js";
import { UserError } from "../../../lib/util/errors.js";
import { randomStream } from "../../../lib/util/random.js";
import { CHECKPOINT_EVERY, SPEC, stateAfter } from "./run-store-fixture.js";
import { folderOfTests } from "../../temporary-folder.js";

const folder = folderOfTests("run-store");

const CHILD = join(import.meta.dirname, "run-store-child.ts");
const FULL_DISK_CHILD = join(import.meta.dirname, "full-disk-child.ts");

function emptyRoot(): string {
  return mkdtempSync(join(folder, "root-"));
}

function openTest(root: string, warnings: string[] = [], spec: unknown = SPEC): Promise<Run> {
  return openRun({ root, name: "run", spec, warn: (message) => warnings.push(message) });
}

/** A released run with checkpoints at steps 5 and 10. */
async function checkpointedRoot(): Promise<{ root: string; newest: string; previous: string }> {
  const root = emptyRoot();
  const run = await openTest(root);
  for (const step of [5, 10]) await run.saveCheckpoint(step, stateAfter(step), { epoch: String(step) });
  await run.release();
  const path = (step: number): string => join(run.directory, `checkpoint-${step}.safetensors`);
  return { root, newest: path(10), previous: path(5) };
}

function flipByte(path: string): void {
  const bytes = readFileSync(path);
  const middle = bytes.length >> 1;
  bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
  writeFileSync(path, bytes);
}

function refuseWarning(message: string): void {
  throw new Error(`unexpected warning: ${message}`);
}

function userError(message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof UserError, String(error));
    assert.match(error.message, message);
    return true;
  };
}

/** Lines that the child has printed so far, and a way to await the first of them. */
function startChild(
  root: string,
  until: number,
  stderr: "inherit" | "ignore" = "inherit",
): { child: ChildProcess; lines: () => string[]; first: Promise<unknown> } {
  const child = spawn(process.execPath, ["--import", "tsx", CHILD, root, String(until)], {
    stdio: ["ignore", "pipe", stderr],
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return { child, lines: () => text.split("\n").slice(0, -1), first: once(child.stdout, "data") };
}

function lastStep(lines: readonly string[], word: string): number {
  return Math.max(
    0,
    ...lines.filter((line) => line.startsWith(`${word} `)).map((line) => Number(line.split(" ")[1])),
  );
}

test("killed at random instants, a run keeps every committed record and checkpoint, and ends whole", async (t) => {
  const root = emptyRoot();
  const seed = Math.floor(Math.random() * 2 ** 32);
  t.diagnostic(`seed of the kill times: ${seed}`);
  const delays = randomStream(seed, "kill");
  for (let kill = 0; kill < 6; kill++) {
    const { child, lines, first } = startChild(root, 1_000_000);
    const exited = once(child, "exit");
    await first;
    await sleep(delays.uniform() * 150);
    child.kill("SIGKILL");
    await exited;

    const warnings: string[] = [];
    const run = await openRun({
      root,
      name: "killed",
      spec: SPEC,
      warn: (message) => warnings.push(message),
    });
    const checkpoint = await run.latestCheckpoint();
    const step = checkpoint?.step ?? 0;
    assert.ok(step >= lastStep(lines(), "checkpoint"), `step ${step} after ${lines().slice(-3).join(", ")}`);
    assert.ok(step >= lastStep(lines(), "resumed"));
    assert.equal(step % CHECKPOINT_EVERY, 0);
    if (checkpoint !== null) assert.deepEqual(checkpoint.tensors, stateAfter(step));
    const steps = run.readMetrics().map((record) => record.step);
    assert.deepEqual(
      steps,
      steps.map((_, i) => i + 1),
    );
    assert.ok(steps.length >= Math.max(step, lastStep(lines(), "metrics")));
    for (const warning of warnings) assert.match(warning, /metrics\.jsonl ended in a record .* cut off/);
    assert.ok(readdirSync(run.directory).every((name) => !name.endsWith(".tmp")));
    await run.release();
  }
  const reached = listRuns(root)[0]?.readMetrics().length ?? 0;
  const { child } = startChild(root, reached + 7);
  const [code] = (await once(child, "exit")) as [number | null];
  assert.equal(code, 0);
  const [record] = listRuns(root);
  assert.ok(record !== undefined && record.isDone());
  await record.verify();
  assert.deepEqual(
    record.readMetrics(),
    Array.from({ length: reached + 7 }, (_, i) => ({ step: i + 1, loss: 1 / (i + 1) })),
  );
});

test("a second process is locked out while the first lives, and takes over when it is killed", async () => {
  const root = emptyRoot();
  const { child, first } = startChild(root, 1_000_000);
  const exited = once(child, "exit");
  await first;
  const open = (): Promise<Run> => openRun({ root, name: "killed", spec: SPEC, warn: () => undefined });
  await assert.rejects(open(), userError(new RegExp(`is in use by process ${String(child.pid)};`)));
  child.kill("SIGKILL");
  await exited;
  const run = await open();
  await assert.rejects(open(), userError(new RegExp(`is in use by process ${process.pid};`)));
  await run.release();
  assert.throws(
    () => {
      run.appendMetrics({ step: 1 });
    },
    userError(/was released/),
  );
  await (await open()).release();
});

test("of several that open one run at once after a kill, exactly one gets it", async () => {
  const root = emptyRoot();
  const { child, first } = startChild(root, 1_000_000);
  const exited = once(child, "exit");
  await first;
  child.kill("SIGKILL");
  await exited;
  const rivals = Array.from({ length: 3 }, () => startChild(root, 1_000_000, "ignore"));
  const states = await Promise.all(
    rivals.map(async ({ child: rival, first: opened }) => {
      const ended = once(rival, "exit").then(() => "locked out");
      return Promise.race([opened.then(() => "opened"), ended]);
    }),
  );
  for (const { child: rival } of rivals) rival.kill("SIGKILL");
  assert.deepEqual(states.sort(), ["locked out", "locked out", "opened"]);
});

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

test("metrics after the checkpoint are dropped on resume, a torn last one is reported", async () => {
  const root = emptyRoot();
  const first = await openTest(root);
  for (const step of [1, 2, 3, 4]) first.appendMetrics({ step, loss: step === 2 ? NaN : step });
  await first.release();
  const path = join(first.directory, "metrics.jsonl");
  truncateSync(path, readFileSync(path).length - 3);
  const warnings: string[] = [];
  const run = await openTest(root, warnings);
  assert.match(warnings.join(), /metrics\.jsonl ended in a record of \d+ bytes/);
  await run.truncateMetrics(2);
  run.appendMetrics({ step: 3, loss: 30 });
  assert.deepEqual(run.readMetrics(), [
    { step: 1, loss: 1 },
    { step: 2, loss: NaN },
    { step: 3, loss: 30 },
  ]);
  await run.truncateMetrics(-1);
  assert.deepEqual(run.readMetrics(), []);
  await run.release();
});

test("the same spec is the same run whatever the order of its fields; another spec is another run", async () => {
  const root = emptyRoot();
  const run = await openTest(root, [], { a: 1, b: { c: [1, 2], d: "x" } });
  await run.release();
  const same = await openTest(root, [], { b: { d: "x", c: [1, 2] }, a: 1 });
  assert.equal(same.directory, run.directory);
  await same.release();
  const other = await openTest(root, [], { a: 1, b: { c: [2, 1], d: "x" } });
  assert.notEqual(other.directory, run.directory);
  await other.release();
  // printf '{"a":1,"b":{"c":[1,2],"d":"x"}}' | sha256sum
  assert.equal(run.hash, "402a3ca52530");
  assert.deepEqual(
    listRuns(root).map(({ name, hash }) => [name, hash]),
    [run, other].map(({ hash }) => ["run", hash]).sort(),
  );
});

test("a finished run is verified against DONE.json and cannot be written any more", async () => {
  const root = emptyRoot();
  const run = await openTest(root);
  assert.equal(run.isDone(), false);
  run.appendMetrics({ step: 1, loss: 0.5 });
  await run.saveCheckpoint(1, stateAfter(1), {});
  await run.writeArtifact("trace.bin", [Uint8Array.of(1, 2), Uint8Array.of(3)]);
  await assert.rejects(run.writeArtifact("../outside", ""), RangeError);
  await assert.rejects(run.writeArtifact("spec.json", ""), RangeError);
  await run.finish({ accuracy: [0.1, 0.9] });
  await run.release();

  const again = await openTest(root);
  assert.equal(again.isDone(), true);
  assert.deepEqual(again.done?.summary, { accuracy: [0.1, 0.9] });
  await again.verify();
  assert.throws(
    () => {
      again.appendMetrics({ step: 2 });
    },
    userError(/is done and cannot be written/),
  );
  await assert.rejects(again.writeArtifact("late", ""), userError(/is done/));
  await again.release();

  const record = readRun(run.directory);
  assert.deepEqual(record.spec, SPEC);
  assert.deepEqual(Object.keys(record.done?.files ?? {}), [
    "checkpoint-1.safetensors",
    "checkpoint-1.safetensors.sha256",
    "environment.json",
    "metrics.jsonl",
    "spec.json",
    "trace.bin",
  ]);
  assert.equal((await record.latestCheckpoint(refuseWarning))?.step, 1);
  assert.equal((record.environments[0] as { node: string }).node, process.version);
  flipByte(join(run.directory, "trace.bin"));
  rmSync(join(run.directory, "metrics.jsonl"));
  await assert.rejects(record.verify(), userError(/metrics\.jsonl is missing, trace\.bin has changed/));
});

test("a spec changed by hand, a folder without a run and a bad name are refused", async () => {
  const root = emptyRoot();
  const run = await openTest(root);
  await run.release();
  writeFileSync(join(run.directory, "spec.json"), JSON.stringify({ ...SPEC, seed: 2 }));
  await assert.rejects(openTest(root), userError(/spec\.json was changed after the run began/));
  writeFileSync(join(run.directory, "spec.json"), "{");
  await assert.rejects(openTest(root), userError(/spec\.json is not valid JSON: /));
  assert.throws(() => readRun(folder), userError(/holds no run/));
  assert.deepEqual(listRuns(join(folder, "absent")), []);
  await assert.rejects(
    openRun({ root, name: "../x", spec: SPEC, warn: refuseWarning }),
    userError(/is no name for a run/),
  );
  assert.equal(existsSync(join(root, "..", "x")), false);
});

test("a run that goes on in another environment says so and records both", async () => {
  const root = emptyRoot();
  const open = (threads: number, warn: (message: string) => void): Promise<Run> =>
    openRun({ root, name: "run", spec: SPEC, environment: { threads }, warn });
  await (await open(2, refuseWarning)).release();
  await (await open(2, refuseWarning)).release();
  const warnings: string[] = [];
  const run = await open(4, (message) => warnings.push(message));
  await run.release();
  assert.match(warnings.join(), /goes on in another environment/);
  const threads = readRun(run.directory).environments.map(
    (environment) => (environment as { threads: number }).threads,
  );
  assert.deepEqual(threads, [2, 4]);
});

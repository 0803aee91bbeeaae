import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { listRuns, readRun } from "../../../lib/experiments/runs/run-record.js";
import { openRun, type Run } from "../../../lib/experiments/runs/run-store.js";
import { SPEC, stateAfter } from "./run-store-fixture.js";
import { folder, emptyRoot, openTest, flipByte, refuseWarning, userError } from "./run-store-helpers.js";

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
  writeFileSync(join(folder, "file"), "");
  assert.throws(
    () => listRuns(join(folder, "file")),
    userError(/^cannot read .*file: a part of the path is a file/),
  );
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

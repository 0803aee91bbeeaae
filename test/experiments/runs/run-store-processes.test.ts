import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { listRuns } from "../../../lib/experiments/runs/run-record.js";
import { openRun, type Run } from "../../../lib/experiments/runs/run-store.js";
import { randomStream } from "../../../lib/util/random.js";
import { CHECKPOINT_EVERY, SPEC, stateAfter } from "./run-store-fixture.js";
import { emptyRoot, userError } from "./run-store-helpers.js";

const CHILD = join(import.meta.dirname, "run-store-child.ts");

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

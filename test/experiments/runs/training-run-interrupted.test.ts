import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { RunSpec } from "../../../lib/experiments/specs/spec.js";
import { trainingRun } from "../../../lib/experiments/runs/training-run.js";
import { tf } from "../../../lib/nn/tensorflow.js";
import { randomStream } from "../../../lib/util/random.js";
import { Stopped } from "../../../lib/util/stopping.js";
import { tinyRunSpec } from "../tiny-run.js";
import { ENVIRONMENT, emptyRoot, firstCheckpoint, lastState, timeless } from "./training-run-helpers.js";

const CHILD = join(import.meta.dirname, "training-run-child.ts");

interface Child {
  readonly process: ChildProcess;
  readonly begins: Promise<unknown>;
  readonly ends: Promise<unknown>;
  readonly output: () => string;
}

function startTraining(root: string, spec: RunSpec): Child {
  const child = spawn(process.execPath, ["--import", "tsx", CHILD, root, JSON.stringify(spec)], {
    stdio: ["ignore", "pipe", "inherit"],
    env: ENVIRONMENT,
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return {
    process: child,
    begins: once(child.stdout, "data"),
    ends: once(child, "close"),
    output: () => text,
  };
}

async function trainToEnd(
  root: string,
  spec: RunSpec,
): Promise<{ directory: string; output: string; seconds: number }> {
  const child = startTraining(root, spec);
  await child.begins;
  const begun = performance.now();
  await child.ends;
  const seconds = (performance.now() - begun) / 1000;
  const directory = /^done (.+)$/m.exec(child.output())?.[1];
  assert.ok(directory !== undefined, `the training did not end: ${child.output()}`);
  return { directory, output: child.output(), seconds };
}

test("killed at random instants, a training ends with the very bytes of one that was left alone", async (t) => {
  const spec = tinyRunSpec("cascaded-td", { train: { epochs: 10 } });
  const whole = await trainToEnd(emptyRoot(), spec);
  const seed = Math.floor(Math.random() * 2 ** 32);
  t.diagnostic(`seed of the kill times: ${seed}`);
  const delays = randomStream(seed, "kill");
  const root = emptyRoot();
  let output = "";
  for (let kill = 0; kill < 4; kill++) {
    const child = startTraining(root, spec);
    await child.begins;
    // The first kill leaves a checkpoint behind, so that there is one to go on from.
    if (kill === 0) await firstCheckpoint(root);
    const longest = kill === 0 ? 0.03 : whole.seconds / 2;
    await Promise.race([sleep(1000 * delays.uniform() * longest), child.ends]);
    child.process.kill("SIGKILL");
    await child.ends;
    output += child.output();
  }
  const resumed = await trainToEnd(root, spec);
  assert.match(output + resumed.output, /goes on after step \d+ of 40/);
  for (const name of ["model.safetensors", "trace-CascadedTD.arrow"]) {
    const [bytes, expected] = [resumed, whole].map(({ directory }) => readFileSync(join(directory, name)));
    assert.ok(expected !== undefined && bytes?.equals(expected), `${name} differs`);
  }
  assert.deepEqual(lastState(resumed.directory), lastState(whole.directory));
  assert.deepEqual(timeless(resumed.directory), timeless(whole.directory));
});

test("asked to stop, a training commits the step at hand, and the same call ends with the same bytes", async () => {
  const spec = tinyRunSpec("cascaded-td", { train: { epochs: 6 } });
  const whole = await trainingRun(spec, { root: emptyRoot(), quiet: true });
  const root = emptyRoot();
  const directory = join(root, basename(whole));
  const controller = new AbortController();
  const first = trainingRun(spec, { root, quiet: true, signal: controller.signal });
  // Between two ends of an epoch, each of which has a checkpoint of its own.
  while (!existsSync(join(directory, "checkpoint-4.safetensors"))) await sleep(1);
  controller.abort();
  await assert.rejects(
    first,
    (error) => error instanceof Stopped && /after step \d+ of 24/.test(error.message),
  );
  const tensors = tf.memory().numTensors;
  await assert.rejects(
    trainingRun(spec, { root, signal: controller.signal }),
    /stopped before its first step/,
  );
  assert.equal(tf.memory().numTensors, tensors);

  const said: string[] = [];
  await trainingRun(spec, { root, quiet: true, warn: (message) => said.push(message) });
  assert.match(said.join("\n"), /goes on after step \d+ of 24/);
  assert.deepEqual(lastState(directory), lastState(whole));
  assert.deepEqual(timeless(directory), timeless(whole));
});

test("Ctrl-C lets `cascade run` commit its step", async () => {
  const root = emptyRoot();
  const spec = tinyRunSpec("cascaded-td", { train: { epochs: 2000 } });
  writeFileSync(join(root, "spec.json"), JSON.stringify(spec));
  const child = spawn(
    process.execPath,
    [
      join(import.meta.dirname, "../../../lib/cli/cascade.mjs"),
      "run",
      join(root, "spec.json"),
      "--out",
      join(root, "runs"),
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const closed = once(child, "close");
  while (!existsSync(join(root, "runs"))) await sleep(10);
  await firstCheckpoint(join(root, "runs"));
  child.kill("SIGINT");
  assert.deepEqual(await closed, [130, null], said);
  const step = /stopped after step (\d+) of/.exec(said)?.[1] ?? "none";
  const [directory = ""] = readdirSync(join(root, "runs"));
  assert.ok(existsSync(join(root, "runs", directory, `checkpoint-${step}.safetensors`)), said);
});

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  divergedSummary,
  type Divergence,
  divergenceText,
  notFinite,
  notFiniteState,
} from "../../../lib/experiments/runs/divergence.js";
import { readRun } from "../../../lib/experiments/runs/run-record.js";
import type { RunSpec } from "../../../lib/experiments/specs/spec.js";
import { openTrainedModel } from "../../../lib/experiments/runs/trained-model.js";
import { runSummary } from "../../../lib/experiments/runs/run-summary.js";
import { trainingRun } from "../../../lib/experiments/runs/training-run.js";
import { tf } from "../../../lib/nn/tensorflow.js";
import { UserError } from "../../../lib/util/errors.js";
import { decodeSafetensors } from "../../../lib/util/safetensors.js";
import { randomStream } from "../../../lib/util/random.js";
import { Stopped } from "../../../lib/util/stopping.js";
import { tinyRunSpec } from "../tiny-run.js";
import { folderOfTests } from "../../temporary-folder.js";

const folder = folderOfTests("training-run");

const CHILD = join(import.meta.dirname, "training-run-child.ts");
/** The order of summation, and with it the last bit, depends on the number of threads. */
const ENVIRONMENT = { ...process.env, TF_NUM_INTRAOP_THREADS: "1", OMP_NUM_THREADS: "1" };

function emptyRoot(): string {
  return mkdtempSync(join(folder, "root-"));
}

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

async function firstCheckpoint(root: string): Promise<void> {
  const saved = (): boolean =>
    readdirSync(root).some((run) =>
      readdirSync(join(root, run)).some((name) => /^checkpoint-\d+\.safetensors$/.test(name)),
    );
  while (!saved()) await sleep(2);
}

/** The last checkpoint's tensors; its metadata holds the time that the training took. */
function lastState(directory: string): unknown {
  const steps = readdirSync(directory).flatMap(
    (name) => /^checkpoint-(\d+)\.safetensors$/.exec(name)?.[1] ?? [],
  );
  const path = join(directory, `checkpoint-${Math.max(...steps.map(Number))}.safetensors`);
  return decodeSafetensors(readFileSync(path), path).tensors;
}

function timeless(directory: string): { metrics: unknown; summary: unknown } {
  const untimed = (record: object): object =>
    Object.fromEntries(
      Object.entries(record).filter(
        ([name]) => !["imagesPerSecond", "dataShare", "trainingSeconds"].includes(name),
      ),
    );
  return {
    metrics: readRun(directory).readMetrics().map(untimed),
    summary: untimed(runSummary(directory)),
  };
}

function losses(directory: string): number[] {
  return readRun(directory)
    .readMetrics()
    .flatMap(({ loss }) => (loss === undefined ? [] : [Number(loss)]));
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
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

test("a finished training is checked and found done, not trained again; a damaged one is named", async () => {
  const root = emptyRoot();
  const spec = tinyRunSpec("serial-td-multihead");
  const directory = await trainingRun(spec, { root, quiet: true });
  const files = (): object =>
    Object.fromEntries(
      readdirSync(directory).map((name) => {
        const { mtimeMs, ino } = statSync(join(directory, name));
        return [name, { mtimeMs, ino }];
      }),
    );
  const before = files();
  assert.equal(await trainingRun(spec, { root, quiet: true }), directory);
  assert.deepEqual(files(), before);
  assert.equal(readdirSync(root).length, 1);

  const path = join(directory, "model.safetensors");
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 5) ^ 1, bytes.length - 5);
  writeFileSync(path, bytes);
  await assert.rejects(trainingRun(spec, { root, quiet: true }), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /is damaged: model\.safetensors has changed; delete the folder/);
    return true;
  });
});

test("an easy set is learnt: well above chance at the last timestep, exactly chance at t = 0", async () => {
  const spec = tinyRunSpec("cascaded-td", {
    data: { classes: 4, size: 16, train: 320, test: 100 },
    train: { epochs: 5, augmentation: { crop: 1, flip: true, occlusion: 0 } },
  });
  const directory = await trainingRun(spec, { root: emptyRoot(), quiet: true });
  const [model] = runSummary(directory).models;
  // Nothing of the image has arrived at t = 0: one answer for all, right for one class of four.
  assert.equal(model?.accuracy[0], 0.25);
  // Backends round differently, and such a short training magnifies it: three standard errors above chance are asked.
  const chance = 0.25 + 3 * Math.sqrt((0.25 * 0.75) / 100);
  assert.ok((model.accuracy.at(-1) ?? 0) > chance, model.accuracy.join(" "));
  const seen = losses(directory);
  const third = Math.floor(seen.length / 3);
  assert.ok(mean(seen.slice(-third)) < mean(seen.slice(0, third)) - 1, seen.join(" "));
});

test("a training that diverges is done: it says where, is not trained again and gives no model", async () => {
  const root = emptyRoot();
  const warnings: string[] = [];
  const options = { root, quiet: true, warn: (message: string) => warnings.push(message) };
  const tensors = tf.memory().numTensors;
  const spec = tinyRunSpec("cascaded-td", { train: { learningRate: 100, weightDecay: 1, epochs: 10 } });
  const directory = await trainingRun(spec, options);
  assert.equal(tf.memory().numTensors, tensors);
  const summary = divergedSummary(directory);
  assert.ok(summary !== null);
  const { step, epoch, quantity, value, lastLoss } = summary.diverged;
  // Four steps an epoch.
  assert.equal(epoch, Math.floor((step - 1) / 4));
  assert.ok(step > 1 && step < 40 && summary.steps === step, `step ${step}`);
  assert.match(quantity, /^(loss|weights|velocities|running statistics)$/);
  assert.match(value, /^(NaN|-?Infinity)$/);
  assert.ok(lastLoss !== null && Number.isFinite(lastLoss));
  const text = divergenceText(summary.diverged);
  assert.match(text, /^the [a-z ]+ became \S+ at step \d+, in epoch \d+; the last finite loss was \d\S*$/);
  assert.deepEqual(warnings, [`${directory} diverged: ${text}`]);
  const metrics = readRun(directory).readMetrics();
  assert.equal(metrics.at(-1)?.["diverged"], text);
  assert.ok(losses(directory).every(Number.isFinite), "no loss that is no number");

  const written = statSync(join(directory, "DONE.json")).mtimeMs;
  assert.equal(await trainingRun(spec, options), directory);
  assert.equal(statSync(join(directory, "DONE.json")).mtimeMs, written);
  const says = (error: unknown): boolean => {
    assert.ok(error instanceof UserError);
    assert.ok(
      error.message.startsWith(`${directory} gives no model, because its training diverged: ${text}; `),
    );
    return true;
  };
  assert.throws(() => runSummary(directory), says);
  await assert.rejects(openTrainedModel(directory), says);
});

test("what is not finite after the last step is a divergence too, though no loss tells it", async () => {
  // One step an epoch, so that a training of fewer epochs takes the very same steps.
  const trained = async (epochs: number): Promise<Divergence | undefined> => {
    const train = {
      learningRate: 100,
      weightDecay: 1,
      schedule: { kind: "constant" },
      batchSize: 80,
      epochs,
    };
    const spec = { ...tinyRunSpec("cascaded-td", { train }), validation: 0 };
    const options = { root: emptyRoot(), quiet: true, warn: () => undefined };
    return divergedSummary(await trainingRun(spec, options))?.diverged;
  };
  const long = await trained(40);
  assert.ok(long !== undefined && long.quantity === "loss", JSON.stringify(long));
  const short = await trained(long.step - 1);
  assert.ok(short !== undefined && short.quantity !== "loss", JSON.stringify(short));
  assert.deepEqual([short.step, short.epoch], [long.step - 1, long.step - 2]);
});

test("the first value that is not finite is found and named, in a state by what holds it", () => {
  assert.equal(notFinite("logits", [1, -3e38, 0]), null);
  assert.deepEqual(notFinite("logits", [1, -Infinity, NaN]), { quantity: "logits", value: "-Infinity" });
  const state = (name: string) =>
    notFiniteState(
      new Map([
        ["block1.scale", { dtype: "F32", shape: [1], data: Float32Array.of(1) }],
        [name, { dtype: "F32", shape: [2], data: Float32Array.of(1, NaN) }],
      ]),
    )?.quantity;
  assert.deepEqual(["velocity/block1.scale", "block1.norm1.variance", "block1.conv1.filter"].map(state), [
    "velocities",
    "running statistics",
    "weights",
  ]);
});

test("the loss of the first ten steps is finite and falls on average", async () => {
  // One batch is all of the training images, so that every step ends an epoch and is recorded.
  const spec = tinyRunSpec("serial-td", {
    data: { classes: 4, train: 32 },
    train: { batchSize: 28, epochs: 10, learningRate: 0.03, schedule: { kind: "constant" } },
  });
  const seen = losses(await trainingRun(spec, { root: emptyRoot(), quiet: true }));
  assert.equal(seen.length, 10);
  assert.ok(seen.every(Number.isFinite), seen.join(" "));
  assert.ok(mean(seen.slice(5)) < mean(seen.slice(0, 5)), seen.join(" "));
});

test("a training that cannot be is refused in one clear sentence", async () => {
  const refused = async (spec: RunSpec, message: RegExp): Promise<void> => {
    const root = emptyRoot();
    await assert.rejects(trainingRun(spec, { root, quiet: true }), (error) => {
      assert.ok(error instanceof UserError, String(error));
      assert.match(error.message, message);
      return true;
    });
    for (const run of readdirSync(root)) assert.ok(!existsSync(join(root, run, "DONE.json")));
  };
  await refused(
    tinyRunSpec("cascaded-td", { train: { batchSize: 71 } }),
    /^70 training images do not fill one batch of 71; lower train\.batchSize$/,
  );
  const spec = tinyRunSpec("cascaded-td");
  await refused({ ...spec, trainImages: 81 }, /the limit is 81 examples, allowed is 1 to 80/);
  await refused(
    { ...spec, loss: { ...spec.loss, weights: [1, 1] } },
    /2 timestep weights for 9 timesteps; give one each/,
  );
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

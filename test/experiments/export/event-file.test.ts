import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { crc32c } from "../../../lib/experiments/export/crc32c.js";
import { eventFile } from "../../../lib/experiments/export/event-file.js";
import { scalarsOf, writeTensorBoard } from "../../../lib/experiments/export/tensorboard.js";
import { readRun } from "../../../lib/experiments/runs/run-record.js";
import { temporaryFolder } from "../../temporary-folder.js";

const FORMER_RUNS = join(import.meta.dirname, "../runs/former-runs");

/** The three events below, by `RecordWriter` and `event_pb2` of the Python package tensorboard 2.21.0. */
const GOLDEN =
  "1800000000000000a37f4b220900000040fc54d9411a0d627261696e2e4576656e743a32eced8f9d" +
  "1a00000000000000129bd82d0900000040fc54d941100a2a0d0a0b0a046c6f73731500002040663cd7c1" +
  "290000000000000037ff5f000900000040fc54d94110f0a2042a1a0a180a1162617463682061636375726163792f743315cdcccc3dae050b42";

test("an event file is the one that TensorBoard's own writer makes", () => {
  const events = [
    { tag: "loss", step: 10, value: 2.5 },
    { tag: "batch accuracy/t3", step: 70000, value: 0.1 },
  ];
  assert.equal(Buffer.from(eventFile(events, 1_700_000_000)).toString("hex"), GOLDEN);
});

test("the sum of the nine digits is the published one", () => {
  assert.equal(crc32c(Buffer.from("123456789")), 0xe3069283);
});

test("every kind of line of the metrics is told, what is no number left out", () => {
  const step = { epoch: 0, learningRate: 0.1, lossPerTimestep: [1], imagesPerSecond: 1, dataShare: 0 };
  const metrics = [
    { step: 10, loss: 2, accuracy: [0.25, 0.5], ...step },
    { step: 12, epoch: 0, validationAccuracy: [0.5, null] },
    { step: 13, epoch: 0, diverged: "the loss became NaN" },
  ];
  assert.deepEqual(
    scalarsOf(metrics).map(({ tag, step: at, value }) => `${tag} ${at} ${value}`),
    [
      "loss 10 2",
      "learning rate 10 0.1",
      "batch accuracy/t0 10 0.25",
      "batch accuracy/t1 10 0.5",
      "validation accuracy/t0 12 0.5",
    ],
  );
});

test("a run's events are there once, also where it was begun when they were written first", async (context) => {
  const folder = await temporaryFolder(context);
  const run = join(folder, "run");
  const [former = ""] = readdirSync(FORMER_RUNS);
  cpSync(join(FORMER_RUNS, former), run, { recursive: true });
  const done = readFileSync(join(run, "DONE.json"));
  rmSync(join(run, "DONE.json"));
  const events = join(folder, "events");
  const write = () => writeTensorBoard([readRun(run)], events);
  assert.equal(await write(), 1);
  writeFileSync(join(events, "run", "events.out.tfevents.1.elsewhere"), "another program's");
  writeFileSync(join(run, "DONE.json"), done);
  assert.equal(await write(), 1);
  const [elsewhere, own, ...others] = readdirSync(join(events, "run")).sort();
  assert.deepEqual([elsewhere, others], ["events.out.tfevents.1.elsewhere", []]);
  assert.match(own ?? "", /^events\.out\.tfevents\.1\d{9}\.cascade$/);
});

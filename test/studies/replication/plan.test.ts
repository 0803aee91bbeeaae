import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type PresetName, presetNamed } from "../../../lib/experiments/specs/presets.js";
import type { RunSpec } from "../../../lib/experiments/specs/spec.js";
import {
  hoursAtSpeed,
  measuredHours,
  planRows,
  readMeasuredSpeeds,
  totalOf,
  workloadOf,
} from "../../../lib/studies/replication/plan.js";
import { MEASURED_ON_A_GPU } from "../../../lib/cli/replication-plan.js";
import { planReplication } from "../../../lib/studies/replication/replication.js";
import { quantile } from "../../../lib/util/statistics.js";
import { SMALL_PROTOCOL, smallStudy } from "../small-study.js";
import { changedSpec, combined, type SpecChange } from "../../../lib/experiments/specs/spec-change.js";

const BENCHMARK = join(import.meta.dirname, "../../../data/results/benchmark.json");
const CIFAR = { train: 50000, test: 10000, classes: 10, side: 32 };

const UNDELAYED: SpecChange = { network: { serialScheme: "undelayed" } };

function full(preset: PresetName, change: SpecChange = {}): RunSpec {
  return changedSpec(presetNamed(preset), combined({ network: { width: 1 } }, change));
}

test("a full-width ResNet-18 cascade takes 599.5 million multiply-adds an image, thrice that in training", () => {
  const spec = full("cascaded-td", { train: { epochs: 2, batchSize: 100 }, validation: 0.1 });
  const { images, training, evaluation } = workloadOf(spec, CIFAR);
  assert.equal(images, 2 * 45000);
  // Counted in the paper's terms: 599.5 million for nine timesteps with equal ones computed once.
  assert.equal((training / images / 3 / 1e6).toFixed(1), "599.5");

  assert.ok(Math.abs(evaluation / (training / images / 3) - (2 * 5000 + 10000)) < 1e-6);
  // An ordinary pass is 140.2 million. Its weights are evaluated as a cascade and serially, where as published six
  // blocks are evaluated twice; undelayed only the shortcuts that change the shape meet two inputs.
  const ordinary = workloadOf(full("cascaded-ce", { train: { batchSize: 100 }, validation: 0 }), CIFAR);
  assert.equal((ordinary.training / ordinary.images / 3 / 1e6).toFixed(1), "140.2");
  assert.equal((ordinary.evaluation / 10000 / 1e6).toFixed(1), (599.5 + 245.6).toFixed(1));
  const undelayed = workloadOf(full("cascaded-ce", { validation: 0, ...UNDELAYED }), CIFAR);
  assert.equal((undelayed.evaluation / 10000 / 1e6).toFixed(1), (599.5 + 144.9).toFixed(1));
});

test("at the benchmark's own network the hours are images over its images a second", () => {
  const speeds = readMeasuredSpeeds(BENCHMARK);
  const { measurements } = JSON.parse(readFileSync(BENCHMARK, "utf8")) as {
    measurements: { case: string; what: string; imagesPerSecond: number }[];
  };
  for (const { name, spec } of [
    { name: "full", spec: full("cascaded-td", { validation: 0 }) },
    // The benchmark's serial network is as published.
    { name: "full, serial", spec: full("serial-td", { validation: 0 }) },
    {
      name: "densenet",
      spec: changedSpec(presetNamed("densenet-cascaded-td"), {
        network: { growth: 8, layers: [2, 3, 3, 2] },
        validation: 0,
      }),
    },
  ]) {
    const work = workloadOf(spec, { ...CIFAR, test: 0 });
    const measured = measurements.find((one) => one.case === name && one.what === "training step");
    const expected = work.images / (measured?.imagesPerSecond ?? NaN) / 3600;
    const hours = measuredHours(spec, work, speeds);
    assert.ok(Math.abs(hours / expected - 1) < 1e-6, `${name}: ${hours} hours, ${expected} expected`);
  }
  assert.throws(
    () => readMeasuredSpeeds("no/such.json"),
    /cannot read no\/such\.json: there is no such file/,
  );
});

test("at a million million multiply-adds a second 3.6e15 of them take an hour", () => {
  const work = { images: 1, training: 3.6e15, evaluation: 0 };
  assert.equal(hoursAtSpeed(work, 1e12), 1);
});

test("the speed of a GPU that a plan takes is the one that was measured, in float32", () => {
  const text = readFileSync(join(BENCHMARK, "..", "other-machines.json"), "utf8");
  const { gpu } = JSON.parse(text) as { gpu: { milliseconds: Record<string, { train: number[] }> } };
  const step = quantile(gpu.milliseconds["full, float32"]?.train ?? [], 0.5) / 1000;
  const { images, training } = workloadOf(full("cascaded-td"), CIFAR);
  assert.equal(MEASURED_ON_A_GPU, Math.round((128 * training) / images / step / 1e9));
});

test("a training that two studies need is counted once", () => {
  const speeds = readMeasuredSpeeds(BENCHMARK);
  const { parts, trainings } = planReplication({
    protocol: SMALL_PROTOCOL,
    studies: [smallStudy("one", [0, 1]), smallStudy("two", [1, 2])],
    data: [],
  });
  const shape = { train: 80, test: 20, classes: 10, side: 8 };
  const rows = planRows(parts, () => shape, speeds, 1e12);
  assert.deepEqual(
    rows.map((row) => [row.study, row.trainings, row.images]),
    [
      ["one", 2, 2 * 128],
      ["two", 1, 128],
    ],
  );
  const total = totalOf("all", rows);
  const works = trainings.map(({ spec }) => workloadOf(spec, shape));
  assert.equal(
    total.multiplyAdds,
    works.reduce((sum, { training, evaluation }) => sum + training + evaluation, 0),
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { runSummary } from "../../../lib/experiments/runs/run-summary.js";
import { testTrace } from "../../../lib/experiments/runs/run-trace.js";
import { tf } from "../../../lib/nn/tensorflow.js";
import { fieldStudy } from "../../../lib/studies/claims/field/study.js";
import { armsOfSeed, type FieldSettings } from "../../../lib/studies/claims/field/trainings.js";
import { runStudy } from "../../../lib/studies/run-study.js";
import type { StudyResult } from "../../../lib/studies/study.js";
import { StudyContext } from "../../../lib/studies/study-context.js";
import { correctness } from "../../../lib/trace/probabilities.js";
import { TINY_DATA, TINY_TRAINING } from "../../experiments/tiny-run.js";
import { folderOfTests } from "../../temporary-folder.js";

const root = folderOfTests("field");

const settings: FieldSettings = {
  seeds: [1, 2],
  change: TINY_TRAINING,
  cascades: { network: { width: 0.0625 } },
  msdNets: {
    network: { exits: 2, base: 1, channels: 2, growth: 2, scaleFactors: [1, 2], bottleneckFactors: [1, 2] },
  },
  resNets: { network: { channels: [2, 2, 4, 4] } },
  familyChannels: [1, 2],
  ensembleChannels: 1,
  ensembleBlocks: [1, 2],
  timings: 1,
  linkLatencies: [0, 1e9],
};
const data = TINY_DATA;
const ARMS = [
  "CascadedTD",
  "SerialTD-MultiHead",
  "SDN",
  "MSDNet",
  "MSDNet-Mixed",
  "BoostNet",
  "SDN-ResNet",
  "BranchyNet-ResNet",
  "ZTW-ResNet",
  "ResNets by width",
  "ResNets by depth",
];

const rowsOf = (result: StudyResult, name: string) =>
  result.tables.find((table) => table.name === name)?.rows ?? [];

test("every competitor is trained, measured with every seed, and compared over every budget", async () => {
  const context = new StudyContext(data, root);
  const result = await runStudy(fieldStudy, settings, context);
  const tensors = tf.memory().numTensors;
  assert.deepEqual(
    rowsOf(result, "area").map(({ competitor }) => competitor),
    ARMS,
  );
  const answers = rowsOf(result, "answers");

  // An answer is that of the stored trace; of a family each is a network's last, at its own cost.
  for (const { arm, specs } of armsOfSeed(settings, 2, data)) {
    const own = answers.filter((row) => row["competitor"] === arm && row["seed"] === 2);
    if (arm === "ResNets by depth") continue;
    const traces = await Promise.all(
      specs.map((spec) => testTrace(context.run(spec), runSummary(context.run(spec)).models[0]?.model ?? "")),
    );
    const rights = traces.flatMap((trace) => {
      const correct = correctness(trace);
      return Array.from({ length: trace.timesteps }, (_, t) =>
        correct.subarray(20 * t, 20 * (t + 1)).reduce((sum, one) => sum + one, 0),
      );
    });
    // Zero Time Waste's are joined afterwards, but for the last.
    const from = arm === "ZTW-ResNet" ? rights.length - 1 : 0;
    assert.deepEqual(
      own.slice(from).map(({ accuracy }) => Math.round(20 * Number(accuracy))),
      rights.slice(from),
      arm,
    );
    assert.deepEqual(
      own.map(({ multiplyAdds }) => multiplyAdds),
      traces.flatMap(({ cost }) => cost?.multiplyAdds ?? []),
    );
  }

  // The ensemble costs what its members cost together, and side by side takes what the slowest takes.
  const at = (arm: string, timestep: number) =>
    answers.find((row) => row["competitor"] === arm && row["seed"] === 1 && row["timestep"] === timestep);
  const [first, both] = [at("ResNets by depth", 0), at("ResNets by depth", 1)];
  assert.ok(Number(both?.["multiplyAdds"]) > 2 * Number(first?.["multiplyAdds"]));
  assert.ok(Number(both?.["parallelTime"]) < Number(both?.["multiplyAdds"]));
  // Blocks of a cascade work side by side, so that its last answer is there sooner than all its work would take.
  assert.ok(Number(at("CascadedTD", 8)?.["parallelTime"]) < Number(at("CascadedTD", 8)?.["multiplyAdds"]));

  // The claim's own axis carries it, against both kinds of networks with exits; links that take for ever are another axis.
  const endPoints = result.findings.filter(({ carries }) => carries);
  assert.deepEqual(
    endPoints.map(({ contrasts }) => contrasts.map(({ of }) => of)),
    [
      ["SerialTD-MultiHead", "SDN", "SDN-ResNet"],
      ["MSDNet", "MSDNet-Mixed", "BoostNet", "BranchyNet-ResNet", "ZTW-ResNet"],
    ].map((rivals) => rivals.map((rival) => `CascadedTD over ${rival}`)),
  );
  assert.ok(endPoints.every(({ statement, by }) => by === "paper" && statement.includes("parallel time")));
  assert.equal(result.figures.length, 4);

  assert.deepEqual(await fieldStudy.analyse(settings, context), result);
  assert.equal(tf.memory().numTensors, tensors);
});

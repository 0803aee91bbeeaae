import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { fromCSV } from "arquero";
import { testTrace } from "../../lib/experiments/runs/run-trace.js";
import { trainingRun } from "../../lib/experiments/runs/training-run.js";
import { leaderboardOfRuns, leaderboardTable } from "../../lib/studies/leaderboard.js";
import { accuracyPerTimestep } from "../../lib/trace/accuracy-per-timestep.js";
import { timestepMeasures } from "../../lib/trace/trace-measures.js";
import { TINY_OPPONENTS } from "../experiments/tiny-opponents.js";
import { tinyRunSpec } from "../experiments/tiny-run.js";
import { folderOfTests } from "../temporary-folder.js";

const root = folderOfTests("leaderboard");

const specs = [tinyRunSpec("cascaded-ce"), TINY_OPPONENTS.msdnet, TINY_OPPONENTS["small-resnet"]];
const runs: string[] = [];
for (const spec of specs) runs.push(await trainingRun(spec, { root, quiet: true }));
const budgets = [10_000, 200_000];

test("each model of each run has a line; its numbers are those of its trace", async () => {
  const said: string[] = [];
  const rows = await leaderboardOfRuns(root, { budgets, report: (text) => said.push(text) });
  assert.deepEqual(rows.map(({ name }) => name).sort(), ["CascadedCE", "MSDNet", "ResNet", "SerialCE"]);
  assert.equal(said.length, 4);
  const areas = rows.map(({ measures }) => measures.area);
  assert.deepEqual(
    areas,
    [...areas].sort((a, b) => b - a),
  );
  for (const { name, run, seed, withinBudgets, measures } of rows) {
    const directory = runs.find((one) => basename(one) === run) ?? "";
    const trace = await testTrace(directory, name);
    const accuracy = accuracyPerTimestep(trace);
    const costs = trace.cost?.multiplyAdds ?? [];
    const paid = budgets.map((budget) => costs.filter((cost) => cost <= budget).length);
    assert.deepEqual(
      withinBudgets,
      paid.map((answers) => (answers === 0 ? 0.1 : accuracy[answers - 1])),
    );
    assert.equal(seed, 0);
    const last = timestepMeasures(trace).objects().at(-1) as Record<string, number>;
    assert.deepEqual(
      [
        measures.accuracy,
        measures.multiplyAdds,
        measures.calibrationError,
        measures.negativeLogLikelihood,
        measures.brierScore,
      ],
      ["accuracy", "multiplyAdds", "expectedCalibrationError", "negativeLogLikelihood", "brierScore"].map(
        (column) => last[column],
      ),
    );
    assert.ok(measures.stoppedMultiplyAdds <= measures.multiplyAdds);
    assert.ok(measures.oracle >= measures.accuracy);
  }
  // A second call reads what the first one measured.
  const again: string[] = [];
  assert.deepEqual(await leaderboardOfRuns(root, { budgets, report: (text) => again.push(text) }), rows);
  assert.deepEqual(again, []);
});

test("runs that saw other test images are refused with where they differ, and can be left out", async () => {
  const others = folderOfTests("leaderboard-held-out");
  const spec = tinyRunSpec("cascaded-ce");
  for (const one of [spec, { ...spec, heldOutClasses: [1] }])
    await trainingRun(one, { root: others, quiet: true });
  await assert.rejects(
    leaderboardOfRuns(others, { budgets }),
    /they have 10 and 9 classes|they have 9 and 10 classes/,
  );
  const rows = await leaderboardOfRuns(others, { budgets, where: ["heldOutClasses=null"] });
  assert.deepEqual(rows.map(({ name }) => name).sort(), ["CascadedCE", "SerialCE"]);
  await assert.rejects(
    leaderboardOfRuns(others, { budgets, where: ["seed=7", "train.epochs>0"] }),
    /no finished run with seed=7 and with train.epochs>0 whose models/,
  );
});

test("the command prints the table, and writes it as CSV and LaTeX", async () => {
  const command = join(resolve(import.meta.dirname, "../.."), "lib/cli/cascade.mjs");
  const words = ["leaderboard", "--runs", ".", "--budgets", "0.01,0.2", "--csv", "l.csv", "--latex", "l.tex"];
  const { stdout } = await promisify(execFile)(process.execPath, [command, ...words], { cwd: root });
  const rows = await leaderboardOfRuns(root, { budgets });
  assert.deepEqual(
    stdout
      .split("\n")
      .slice(0, 5)
      .map((line) => line.split(/ +/)[0]),
    ["model", ...rows.map(({ name }) => name)],
  );
  const csv = fromCSV(readFileSync(join(root, "l.csv"), "utf8"));
  assert.deepEqual(csv.array("area"), leaderboardTable(rows, budgets).array("area"));
  const latex = readFileSync(join(root, "l.tex"), "utf8");
  assert.equal(latex.match(/\\\\$/gm)?.length, 5);
  await assert.rejects(
    promisify(execFile)(process.execPath, [command, "leaderboard", "--budgets", "2,1"], { cwd: root }),
    /they must be in ascending order/,
  );
});

test("runs on other images are refused, with what differs; a data set can be chosen", async () => {
  const other = tinyRunSpec("cascaded-td", { data: { seed: 1, test: 30 } });
  const directory = await trainingRun(other, { root, quiet: true });
  await assert.rejects(
    leaderboardOfRuns(root, { budgets }),
    (error: Error) =>
      error.message.includes(basename(directory)) &&
      /cannot be compared: their images differ/.test(error.message),
  );
  const hash = (await testTrace(directory, "CascadedTD")).data ?? "";
  const rows = await leaderboardOfRuns(root, { budgets, data: hash.slice(0, 12) });
  assert.deepEqual(
    rows.map(({ run }) => run),
    [basename(directory)],
  );
  await assert.rejects(leaderboardOfRuns(root, { budgets, data: "mnist" }), /has no finished run on mnist/);
});

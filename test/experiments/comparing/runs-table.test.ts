import assert from "node:assert/strict";
import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { findRun } from "../../../lib/experiments/comparing/find-run.js";
import { runDifference } from "../../../lib/experiments/comparing/run-difference.js";
import { runsTable, type RunsQuery } from "../../../lib/experiments/comparing/runs-table.js";
import { listRuns } from "../../../lib/experiments/runs/run-record.js";
import { runSummary } from "../../../lib/experiments/runs/run-summary.js";
import { trainingRun } from "../../../lib/experiments/runs/training-run.js";
import { tinyRunSpec } from "../tiny-run.js";
import { folderOfTests } from "../../temporary-folder.js";

const root = folderOfTests("runs-table-test");
/** Folders of a cascade, another with one epoch more, an ordinary network, which gives two models. */
const folders: string[] = [];
const spec = tinyRunSpec("cascaded-td", { train: { epochs: 1 } });
before(async () => {
  for (const one of [
    spec,
    { ...spec, train: { ...spec.train, epochs: 2 } },
    tinyRunSpec("cascaded-ce", { train: { epochs: 1 } }),
  ])
    folders.push(await trainingRun(one, { root, quiet: true }));
  const [first = ""] = folders;
  // One that was begun, and one whose spec cannot be read.
  cpSync(first, `${first.slice(0, -12)}${"0".repeat(12)}`, { recursive: true });
  rmSync(join(`${first.slice(0, -12)}${"0".repeat(12)}`, "DONE.json"));
  cpSync(first, join(root, "zz-damaged-000000000001"), { recursive: true });
  writeFileSync(join(root, "zz-damaged-000000000001", "spec.json"), "{");
});

const rows = (query: RunsQuery): object[] => runsTable(query, listRuns(root)).objects();

test("a row for each model, with what its run says of itself", () => {
  const [first = ""] = folders;
  const [model] = runSummary(first).models;
  const [row, ...others] = rows({
    where: ["model=CascadedTD", "train.epochs=1"],
    columns: ["model", "seed", "state", "progress", "t2", "last", "area", "train.epochs"],
  });
  const accuracy = model?.accuracy ?? [];
  assert.deepEqual(others, []);
  assert.deepEqual(row, {
    model: "CascadedTD",
    seed: 0,
    state: "done",
    progress: 1,
    t2: accuracy[2],
    last: accuracy.at(-1),
    area: model?.area,
    "train.epochs": 1,
  });
  const states = (
    rows({ columns: ["model", "state"], sort: ["state", "model"] }) as { model: unknown; state: string }[]
  ).map(({ model: name, state }) => `${String(name)} ${state}`);
  assert.deepEqual(states, [
    "null begun",
    "null damaged",
    "CascadedCE done",
    "CascadedTD done",
    "CascadedTD done",
    "SerialCE done",
  ]);
});

test("conditions all hold, and what is not known stands last whichever way", () => {
  const epochs = (query: RunsQuery): unknown[] =>
    rows({ ...query, columns: ["train.epochs"] }).flatMap((row) => Object.values(row) as unknown[]);
  assert.deepEqual(epochs({ where: ["state=done", "train.epochs>1"] }), [2]);
  assert.deepEqual(
    epochs({ where: ["name~td", "state!=damaged", "seed<=0"], sort: ["-train.epochs"] }),
    [2, 1, 1],
  );
  assert.deepEqual(epochs({ sort: ["train.epochs"] }).at(-1), null);
  assert.deepEqual(epochs({ sort: ["-train.epochs"] }).at(-1), null);
  assert.throws(() => rows({ where: ["epochs"] }), /"epochs" is no condition: write a field, one of = /);
  assert.throws(() => rows({ sort: ["-epohcs"] }), /no run has a field "epohcs"; there are run, /);
});

test("a run is found by folder, name or the beginning of its hash", () => {
  const [first = "", second = ""] = folders;
  const hash = first.slice(-12);
  for (const text of [first, first.split("/").at(-1) ?? "", hash, hash.slice(0, 8)])
    assert.equal(findRun(text, root).directory, first);
  assert.throws(() => findRun("no-such-run", root), /no run under .* is called no-such-run/);
  assert.throws(() => findRun("0000", root), /0000 names 2 runs: .*0{12}, zz-damaged/);
  const { spec: differences, results } = runDifference(findRun(first), findRun(second));
  assert.deepEqual(differences, [{ field: "train.epochs", first: 1, second: 2 }]);
  const accuracies = [first, second].map((folder) => runSummary(folder).models[0]?.accuracy ?? []);
  assert.deepEqual(
    results.map(({ first: a, second: b }) => [a, b]),
    accuracies[0]?.map((a, t) => [a, accuracies[1]?.[t]]),
  );
  assert.ok(results.every(({ first: a, second: b, difference }) => difference === b - a));
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { normConstantsStudy } from "../../../lib/studies/claims/norm-constants/study.js";
import { runStudy } from "../../../lib/studies/run-study.js";
import { StudyContext } from "../../../lib/studies/study-context.js";
import { TINY_DATA, TINY_RESNETS } from "../../experiments/tiny-run.js";
import { folderOfTests } from "../../temporary-folder.js";

const root = folderOfTests("norm-constants");

const settings = {
  seeds: [1],
  change: TINY_RESNETS,
};
const data = TINY_DATA;

test("two models with both constants crossed; a change is that of the runs' accuracies", async () => {
  const specs = normConstantsStudy.trainings(settings, data);
  assert.deepEqual(
    [...new Set(specs.map(({ network }) => `${network.epsilon} ${network.momentum}`))],
    ["0.00001 0.1", "0.1 0.1", "0.00001 1", "0.1 1"],
  );
  const result = await runStudy(normConstantsStudy, settings, new StudyContext(data, root));
  const runs = result.tables.find(({ name }) => name === "runs")?.rows ?? [];
  const last = (constants: string): number =>
    Number(runs.find(({ arm }) => arm === `CascadedTD, ${constants}`)?.["t = 8"]);
  const change = last("ε = 0.1, momentum = 1") - last("ε = 0.00001, momentum = 0.1");
  const finding = result.findings.find(({ statement }) => statement.startsWith("CascadedTD, last"));
  assert.ok(Math.abs((finding?.contrasts[0]?.mean ?? NaN) - 100 * change) < 1e-9);
  assert.equal(finding?.outcome, "not decided", "one seed");
});

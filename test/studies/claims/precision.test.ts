import assert from "node:assert/strict";
import { test } from "node:test";
import { hasOwnKernels } from "../../../lib/nn/backend/kernel-level.js";
import { precisionStudy } from "../../../lib/studies/claims/precision/study.js";
import { runStudy } from "../../../lib/studies/run-study.js";
import { StudyContext } from "../../../lib/studies/study-context.js";
import { TINY_DATA, TINY_RESNETS } from "../../experiments/tiny-run.js";
import { folderOfTests } from "../../temporary-folder.js";

const root = folderOfTests("precision");

const settings = {
  seeds: [1, 2],
  change: TINY_RESNETS,
};
const data = TINY_DATA;

test("each seed is trained both ways; the change is that of the runs' accuracies", async (context) => {
  if (!hasOwnKernels) {
    context.skip("the project's own kernels are not compiled");
    return;
  }
  const specs = precisionStudy.trainings(settings, data);
  assert.equal(specs.filter(({ train }) => train.precision === "mixed").length, specs.length / 2);
  const result = await runStudy(precisionStudy, settings, new StudyContext(data, root));
  const runs = result.tables.find(({ name }) => name === "runs")?.rows ?? [];
  const [first = NaN, second = NaN] = settings.seeds.map((seed) => {
    const last = (precision: string): number =>
      Number(runs.find(({ arm, seed: own }) => arm === precision && own === seed)?.["t = 8"]);
    return 100 * (last("mixed") - last("float32"));
  });
  const finding = result.findings.find(({ statement }) => statement.startsWith("CascadedTD, last"));
  assert.ok(Math.abs((finding?.contrasts[0]?.mean ?? NaN) - (first + second) / 2) < 1e-9);
});

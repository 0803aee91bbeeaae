import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { resolveDatasetSource } from "../../../lib/datasets/source.js";
import { hasOwnKernels } from "../../../lib/nn/backend/kernel-level.js";
import { precisionStudy } from "../../../lib/studies/claims/precision/study.js";
import { runStudy } from "../../../lib/studies/run-study.js";
import { StudyContext } from "../../../lib/studies/study-context.js";
import { WHOLE_IMAGES } from "../../experiments/tiny-run.js";
import { combined } from "../../../lib/experiments/specs/spec-change.js";

const root = mkdtempSync(join(tmpdir(), "precision-"));
after(() => {
  rmSync(root, { recursive: true });
});

const settings = {
  seeds: [1, 2],
  change: combined(
    { network: { width: 0.0625 }, train: { epochs: 1, batchSize: 16 }, validation: 0.125 },
    WHOLE_IMAGES,
  ),
};
const data = resolveDatasetSource({ kind: "procedural", classes: 10, size: 8, train: 80, test: 20 });

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

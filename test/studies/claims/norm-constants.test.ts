import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { resolveDatasetSource } from "../../../lib/datasets/source.js";
import { normConstantsStudy } from "../../../lib/studies/claims/norm-constants/study.js";
import { runStudy } from "../../../lib/studies/run-study.js";
import { StudyContext } from "../../../lib/studies/study-context.js";
import { WHOLE_IMAGES } from "../../experiments/tiny-run.js";
import { combined } from "../../../lib/experiments/specs/spec-change.js";

const root = mkdtempSync(join(tmpdir(), "norm-constants-"));
after(() => {
  rmSync(root, { recursive: true });
});

const settings = {
  seeds: [1],
  change: combined(
    { network: { width: 0.0625 }, train: { epochs: 1, batchSize: 16 }, validation: 0.125 },
    WHOLE_IMAGES,
  ),
};
const data = resolveDatasetSource({ kind: "procedural", classes: 10, size: 8, train: 80, test: 20 });

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

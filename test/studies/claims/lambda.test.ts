import assert from "node:assert/strict";
import { test } from "node:test";
import { specHash } from "../../../lib/experiments/specs/spec-hash.js";
import { lambdaStudy, type LambdaSettings } from "../../../lib/studies/claims/lambda/study.js";
import { runStudy } from "../../../lib/studies/run-study.js";
import { StudyContext } from "../../../lib/studies/study-context.js";
import { TINY_DATA, TINY_RESNETS } from "../../experiments/tiny-run.js";
import { combined } from "../../../lib/experiments/specs/spec-change.js";
import { folderOfTests } from "../../temporary-folder.js";

const root = folderOfTests("lambda");

const settings: LambdaSettings = {
  seeds: [1, 2],
  change: TINY_RESNETS,
  lambdas: [0, 1],
  longer: {
    seeds: [1],
    change: combined(TINY_RESNETS, { train: { epochs: 2 } }),
  },
};
const data = TINY_DATA;

test("each model, lambda and seed is a training of its own; winners and verdicts follow from the runs' accuracies", async () => {
  const specs = lambdaStudy.trainings(settings, data);
  assert.equal(new Set(specs.map(specHash)).size, 4 * 2 * 2 + 2);
  const context = new StudyContext(data, root);
  const result = await runStudy(lambdaStudy, settings, context);
  const rowsOf = (name: string) => result.tables.find((table) => table.name === name)?.rows ?? [];
  const runs = rowsOf("runs");
  assert.equal(runs.length, specs.length - 2);
  assert.deepEqual(
    rowsOf("longer-training").map((row) => row["lambda"]),
    [0, 1],
  );

  const area = (model: string, lambda: number, seed: number): number =>
    Number(
      runs.find((row) => row["model"] === model && row["lambda"] === lambda && row["seed"] === seed)?.[
        "area"
      ],
    );
  const ends: readonly (readonly [string, number, number])[] = [
    ["CascadedTD", 0, 1],
    ["CascadedTD-MultiHead", 0, 1],
    ["SerialTD", 1, 0],
    ["SerialTD-MultiHead", 1, 0],
  ];
  for (const [model, paper, opposite] of ends) {
    const [first = NaN, second = NaN] = settings.seeds.map(
      (seed) => area(model, paper, seed) - area(model, opposite, seed),
    );
    const finding = result.findings.find(({ statement }) =>
      statement.startsWith(`${model}: the paper's λ = ${paper} has more area`),
    );
    assert.ok(Math.abs((finding?.contrasts[0]?.mean ?? NaN) - 50 * (first + second)) < 1e-9);
    assert.equal(finding?.contrasts[0]?.n, 2);
    const best = rowsOf("best-lambda").find((row) => row["model"] === model && row["quantity"] === "area");
    const means = settings.lambdas.map((lambda) =>
      settings.seeds.reduce((sum, seed) => sum + area(model, lambda, seed), 0),
    );
    assert.equal(best?.["highest mean"], (means[1] as number) > (means[0] as number) ? 1 : 0);
  }
  assert.ok(result.figures.every(({ figure }) => figure.data.length > 0));
  assert.deepEqual(await lambdaStudy.analyse(settings, context), result);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { PAPER, type PaperFigure } from "../../../lib/studies/evidence/paper-figure.js";
import { scalingStudy } from "../../../lib/studies/claims/scaling/study.js";
import { runStudy } from "../../../lib/studies/run-study.js";
import { StudyContext } from "../../../lib/studies/study-context.js";
import { TINY_DATA } from "../../experiments/tiny-run.js";
import { folderOfTests } from "../../temporary-folder.js";

const root = folderOfTests("scaling");

const settings = {
  seeds: [1, 2],
  change: { train: { batchSize: 16, augmentation: { occlusion: 0 } } },
  ...{ epochs: [1, 3], width: 0.0625, widths: [0.0625, 0.125], epochsOfWidths: 1 },
  deeper: { depth: 34, width: 0.0625, epochs: 1 },
} as const;

/** As if the tiny images were CIFAR-10. */
class OnCifar10 extends StudyContext {
  override paperFigure(): PaperFigure {
    return PAPER;
  }
}

test("each size is trained once; the gap, its change and the figure are those of the runs' accuracies", async () => {
  const context = new OnCifar10(TINY_DATA, root);
  assert.equal(scalingStudy.trainings(settings, TINY_DATA).length, 2 * 3 * 4);
  const { findings, tables, figures } = await runStudy(scalingStudy, settings, context);
  const runs = tables.find(({ name }) => name === "runs")?.rows ?? [];
  const last = (model: string, size: string, seed: number): number => {
    const row = runs.find(({ arm, seed: one }) => arm === `${model}, ${size}` && one === seed);
    return 100 * Number(row?.[size.startsWith("ResNet-34") ? "t = 16" : "t = 8"]);
  };
  const gap = (size: string, seed: number): number =>
    last("CascadedTD", size, seed) - last("CascadedCE", size, seed);
  const changes = (from: string, to: string): number[] =>
    settings.seeds.map((seed) => gap(to, seed) - gap(from, seed));
  const near = (i: number, [first = NaN, second = NaN]: readonly number[]): void => {
    assert.ok(Math.abs((findings[i]?.contrasts[0]?.mean ?? NaN) - (first + second) / 2) < 1e-9);
  };
  near(0, changes("width 0.0625, 1 epoch", "width 0.0625, 3 epochs"));
  near(1, changes("width 0.0625, 1 epoch", "width 0.125, 1 epoch"));
  near(
    4,
    settings.seeds.map((seed) => gap("width 0.0625, 3 epochs", seed)),
  );
  near(
    7,
    settings.seeds.map((seed) => gap("ResNet-34, width 0.0625, 1 epoch", seed)),
  );
  assert.deepEqual(
    findings.map(({ carries }) => carries),
    [true, true, true, false, false, false, false, false],
  );
  const [sizes] = tables;
  assert.deepEqual(
    sizes?.rows.map((row) => row["size"]),
    [
      "width 0.0625, 1 epoch",
      "width 0.0625, 3 epochs",
      "width 0.125, 1 epoch",
      "ResNet-34, width 0.0625, 1 epoch",
      "paper, width 1",
    ],
  );
  // The bars are of the seeds' leads.
  const lines = figures[0]?.figure.data.filter(({ name }) => name === "width 0.0625") ?? [];
  // A little to the left of the two other networks.
  const apart = 10 ** -0.03;
  assert.deepEqual(lines[0]?.["x"], [apart, 3 * apart]);
  const [a = NaN, b = NaN] = settings.seeds.map((seed) => gap("width 0.0625, 3 epochs", seed));
  const { array } = lines[0]["error_y"] as { readonly array: readonly number[] };
  assert.ok(Math.abs((array[1] ?? NaN) - Math.abs(a - b) / 2) < 1e-9);
  // The paper's points, of its figure: 91.5 and 92 % at the end, 79 and 59 % at a mean stop of 3.
  const paper = figures[0]?.figure.data.filter(({ name }) => name === "paper, width 1");
  assert.deepEqual(
    paper?.map(({ y }) => y),
    [[-0.5], [20]],
  );

  // On other data nothing of the paper's stands beside the results.
  const elsewhere = await runStudy(scalingStudy, settings, new StudyContext(TINY_DATA, root));
  assert.equal(elsewhere.tables[0]?.rows.length, 4);
  assert.doesNotMatch(JSON.stringify([elsewhere.tables, elsewhere.figures]), /paper[,:]|the paper/);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { from } from "arquero";
import { accuracyOverBudgetFigure } from "../../lib/figures/accuracy-over-budget.js";
import { timePerImageFigure } from "../../lib/figures/time-per-image.js";
import { timeSharesFigure } from "../../lib/figures/time-shares.js";
import { assertSnapshot } from "./snapshot.js";

test("time per image: a panel for each variable, four lines in each in the order of its values, times in the table's numbers", () => {
  const rows = ["width", "batch"].flatMap((variable) =>
    [1, 0.25].flatMap((value) =>
      ["float32", "mixed"].map((precision) => ({
        variable,
        value,
        precision,
        training: 3 * value + (precision === "mixed" ? 0 : 1),
        evaluation: value,
      })),
    ),
  );
  const figure = timePerImageFigure(from(rows));
  assertSnapshot("time-per-image", figure);
  const { data, layout } = figure;
  assert.equal(data.length, 8);
  assert.deepEqual(
    [data[0]?.["x"], data[0]?.["y"]],
    [
      [0.25, 1],
      [1.75, 4],
    ],
  );
  assert.deepEqual(data[1]?.["y"], [0.75, 3]);
  assert.deepEqual(
    data.map(({ showlegend }) => showlegend),
    [true, true, true, true, false, false, false, false],
  );
  assert.deepEqual((layout["xaxis"] as { ticktext: string[] }).ticktext, ["1/4", "1"]);
});

test("time shares: parts of a bar add up to one, and its name says the whole", () => {
  const rows = [
    { case: "a", kind: "convolution", milliseconds: 30 },
    { case: "a", kind: "idle", milliseconds: 10 },
    { case: "b", kind: "convolution", milliseconds: 1 },
    { case: "b", kind: "idle", milliseconds: 1 },
  ];
  const figure = timeSharesFigure(from(rows));
  assertSnapshot("time-shares", figure);
  const { data } = figure;
  assert.deepEqual(
    data.map(({ x }) => x),
    [
      [0.75, 0.5],
      [0.25, 0.5],
    ],
  );
  assert.deepEqual(data[0]?.["y"], ["a  40 ms", "b  2 ms"]);
});

test("accuracy over a budget: a staircase for each model, at the means over seeds, in bands", () => {
  const rows = ["CascadedTD", "MSDNet", "another"].flatMap((model, m) =>
    [0, 1].flatMap((seed) =>
      [0, 1, 2].map((timestep) => ({
        model,
        timestep,
        budget: (m + 1) * timestep,
        accuracy: timestep / 4 + seed / 10,
      })),
    ),
  );
  const figure = accuracyOverBudgetFigure(from(rows), "Energy (µJ)");
  assertSnapshot("accuracy-over-budget", figure);
  const lines = figure.data.filter(({ mode }) => mode === "lines+markers");
  assert.deepEqual(
    lines.map(({ name, x }) => [name, x]),
    [
      ["CascadedTD", [0, 1, 2]],
      ["MSDNet", [0, 2, 4]],
      ["another", [0, 3, 6]],
    ],
  );
  for (const { y, line } of lines) {
    assert.deepEqual(y, [0.05, 0.3, 0.55]);
    assert.equal((line as { shape: string }).shape, "hv");
  }
  // A band of the same corners as its line: a value stands until the next one's budget.
  const [band] = figure.data.filter(({ mode }) => mode === "lines");
  assert.equal(band?.["name"], "CascadedTD ± standard error");
  assert.deepEqual(band["x"], [0, 1, 1, 2, 2, 2, 2, 1, 1, 0]);
  const upper = (band["y"] as number[]).slice(0, 5);
  const rounded = upper.map((y) => Number(y.toFixed(9)));
  assert.deepEqual(rounded, [0.1, 0.1, 0.35, 0.35, 0.6]);
  const axis = figure.layout["xaxis"] as { title: { text: string } };
  assert.equal(axis.title.text, "Energy (µJ)");
});

test("accuracy over a budget: an answer that a later one undercuts is not drawn, for no budget buys it", () => {
  const answers = [
    [0, 2, 0.5],
    [1, 4, 0.6],
    [2, 3, 0.7],
  ] as const;
  const rows = answers.map(([timestep, budget, accuracy]) => ({ model: "a", timestep, budget, accuracy }));
  const [line] = accuracyOverBudgetFigure(from(rows), "Time (ms)").data;
  assert.deepEqual(
    [line?.["x"], line?.["y"]],
    [
      [2, 3],
      [0.5, 0.7],
    ],
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { trainingProgressFigure } from "../../lib/figures/training-progress.js";
import { assertSnapshot } from "./snapshot.js";

test("a curve of many steps is drawn by means of neighbours, over the room of all steps", () => {
  const steps = Array.from({ length: 600 }, (_, i) => ({
    step: i + 1,
    loss: i % 4,
    accuracy: [0.25, i / 600],
  }));
  const { data, layout } = trainingProgressFigure(steps, { total: 1000, title: "t" });
  const [loss, first, last] = data as { x: number[]; y: number[] }[];
  assert.equal(loss?.x.length, 150);
  assert.deepEqual([loss.x[0], loss.y[0], first?.y[0]], [2.5, 1.5, 0.25]);
  assert.ok(Math.abs((last?.y.at(-1) ?? 0) - 597.5 / 600) < 1e-12);
  assert.deepEqual((layout["xaxis"] as { range: number[] }).range, [0, 1000]);
});

test("a training that has just begun is an empty figure; one that goes on looks as before", () => {
  assert.deepEqual((trainingProgressFigure([], { total: 5, title: "" }).data[0] as { x: unknown }).x, []);
  const steps = [0, 1, 2].map((i) => ({ step: 10 * i, loss: 2 - i / 2, accuracy: [0.1, 0.2 * i, 0.3 * i] }));
  assertSnapshot("training-progress", trainingProgressFigure(steps, { total: 50, title: "a run 20/50" }));
});

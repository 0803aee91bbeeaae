import assert from "node:assert/strict";
import { test } from "node:test";
import { trainingProgressSvg } from "../../lib/figures/training-progress.js";

/** Points of each curve, in pixels of its panel (290 x 140). */
const curvesOf = (svg: string): number[][][] =>
  [...svg.matchAll(/<polyline points="([^"]*)"/g)].map(([, points = ""]) =>
    points
      .split(" ")
      .filter((point) => point !== "")
      .map((point) => point.split(",").map(Number)),
  );

test("loss and accuracies are drawn over the room of all steps, the largest loss at the top", () => {
  const steps = [10, 20].map((step, i) => ({ step, loss: 4 / (i + 1), accuracy: [0.25, i] }));
  const svg = trainingProgressSvg(steps, 40);
  assert.deepEqual(curvesOf(svg), [
    [
      [72.5, 0],
      [145, 70],
    ],
    [
      [72.5, 105],
      [145, 105],
    ],
    [
      [72.5, 140],
      [145, 0],
    ],
  ]);
  for (const text of [">4.0<", ">2.0<", ">50 %<", ">40<"]) assert.ok(svg.includes(text), text);
});

test("a curve of many steps is drawn by means of neighbours; one that has just begun is empty", () => {
  const steps = Array.from({ length: 600 }, (_, i) => ({ step: i + 1, loss: i % 4, accuracy: [0.5] }));
  const [loss] = curvesOf(trainingProgressSvg(steps, 1000));
  assert.equal(loss?.length, 150);
  // Steps 1 to 4 of 1000, all of mean loss 1.5, which is the largest mean.
  assert.deepEqual(loss[0], [0.7, 0]);
  assert.deepEqual(curvesOf(trainingProgressSvg([], 5)), [[]]);
});

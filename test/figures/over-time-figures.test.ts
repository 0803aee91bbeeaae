import assert from "node:assert/strict";
import { test } from "node:test";
import { from } from "arquero";
import { distanceOverTimeFigure } from "../../lib/figures/distance-over-time.js";
import { overTimeByLambdaFigure } from "../../lib/figures/over-time-by-lambda.js";

const shares = from(
  [1, 0].flatMap((lambda) =>
    [0, 1].flatMap((seed) =>
      [0, 1, 2].map((timestep) => ({ lambda, timestep, share: timestep / 4 + seed / 5 + lambda / 20 })),
    ),
  ),
);

test("lines stand in the order of lambda, means over seeds in bands of one standard error", () => {
  const reference = { name: "belief", values: [0.1, 0.2, 0.3] };
  const figure = overTimeByLambdaFigure(shares, { title: "Accuracy", reference });
  assert.deepEqual(JSON.parse(JSON.stringify(figure)), figure);
  assert.deepEqual(
    figure.data.map(({ name }) => name),
    ["λ = 0 ± standard error", "λ = 1 ± standard error", "λ = 0", "λ = 1", "belief"],
  );
  const [band, , line, , belief] = figure.data;
  assert.deepEqual(line?.["y"], [0.1, 0.35, 0.6]);
  assert.deepEqual(belief?.["y"], reference.values);
  // Two seeds 0.2 apart have a standard error of 0.1.
  const upper = (band?.["y"] as number[]).slice(0, 3);
  assert.ok(upper.every((value, t) => Math.abs(value - (t / 4 + 0.2)) < 1e-12));
  const colours = new Set(figure.data.slice(2).map(({ line }) => (line as { color: string }).color));
  assert.equal(colours.size, 3);
});

test("lambda 0 and 1 look the same whatever lies between them", () => {
  const looks = [
    [0, 1],
    [0, 0.5, 0.9, 1],
  ].map((lambdas) => {
    const table = from(lambdas.map((lambda) => ({ lambda, timestep: 0, share: 0.5 })));
    return overTimeByLambdaFigure(table, { title: "Accuracy" }).data.map(({ line }) => line);
  });
  const [ends, all] = looks;
  assert.deepEqual(ends, [all?.[0], all?.[3]]);
  assert.equal(new Set(all?.map((line) => JSON.stringify(line))).size, 4);
});

test("distances keep their zeros and every cascade its line", () => {
  const figure = distanceOverTimeFigure(
    from([
      { cascade: "parallel", timestep: 0, distance: 1 },
      { cascade: "parallel", timestep: 1, distance: 0 },
      { cascade: "serial", timestep: 0, distance: 0.5 },
    ]),
  );
  assert.deepEqual(
    figure.data.map(({ name, y }) => [name, y]),
    [
      ["parallel", [1, 0]],
      ["serial", [0.5]],
    ],
  );
  assert.throws(() => distanceOverTimeFigure(from([{ cascade: "a", timestep: 0 }])), /"distance"/);
});

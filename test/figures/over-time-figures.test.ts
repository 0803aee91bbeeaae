import assert from "node:assert/strict";
import { test } from "node:test";
import { from } from "arquero";
import { accuracyAgainstLambdaFigure } from "../../lib/figures/accuracy-against-lambda.js";
import { accuracyByDelayFigure } from "../../lib/figures/accuracy-by-delay.js";
import { accuracyInTheLongRunFigure } from "../../lib/figures/accuracy-in-the-long-run.js";
import { distanceOverTimeFigure } from "../../lib/figures/distance-over-time.js";
import { overTimeByLambdaFigure } from "../../lib/figures/over-time-by-lambda.js";
import { assertSnapshot } from "./snapshot.js";

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
  assertSnapshot("over-time-by-lambda", figure);
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

test("lambda 0 and 1 look the same whatever lies between them, and no two lambdas look alike", () => {
  const looks = [
    [0, 1],
    [0, 0.25, 0.5, 0.75, 0.9, 1],
  ].map((lambdas) => {
    const table = from(lambdas.map((lambda) => ({ lambda, timestep: 0, share: 0.5 })));
    return overTimeByLambdaFigure(table, { title: "Accuracy" }).data.map(({ line }) => line);
  });
  const [ends, all] = looks;
  assert.deepEqual(ends, [all?.[0], all?.[5]]);
  assert.equal(new Set(all?.map((line) => JSON.stringify(line))).size, 6);
});

test("a panel each for the last step, t = 3 and the area; the legend names each model once", () => {
  const figure = accuracyAgainstLambdaFigure(
    from(
      ["SerialTD", "CascadedTD"].flatMap((model, m) =>
        [1, 0].flatMap((lambda) =>
          [0, 1].map((seed) => ({
            model,
            lambda,
            last: m + lambda + seed,
            early: 10 * (m + lambda + seed),
            area: 100 * (m + lambda + seed),
          })),
        ),
      ),
    ),
  );
  assertSnapshot("accuracy-against-lambda", figure);
  const lines = figure.data.filter(({ hoverinfo }) => hoverinfo !== "skip");
  assert.deepEqual(
    lines.map(({ name, x, y, xaxis }) => ({ name, x, y, xaxis })),
    [1, 10, 100].flatMap((unit, i) => {
      const xaxis = `x${i === 0 ? "" : String(i + 1)}`;
      return [
        { name: "CascadedTD", x: [0, 1], y: [1.5 * unit, 2.5 * unit], xaxis },
        { name: "SerialTD", x: [0, 1], y: [0.5 * unit, 1.5 * unit], xaxis },
      ];
    }),
  );
  assert.equal(lines.filter(({ showlegend }) => showlegend !== false).length, 2);
});

test("smoothing grows darker with a, the one-step delay is dotted, a second line of one a is dashed", () => {
  const delays: readonly (readonly [string, number])[] = [
    ["one-step delay", NaN],
    ["a = 0", 0],
    ["a = 0.9", 0.9],
    ["a = 0.9, other", 0.9],
  ];
  const figure = accuracyByDelayFigure(
    from(delays.map(([delay, smoothing], i) => ({ delay, smoothing, timestep: 0, accuracy: i / 10 }))),
  );
  assertSnapshot("accuracy-by-delay", figure);
  assert.deepEqual(
    figure.data.map(({ name, y }) => [name, y]),
    delays.map(([delay], i) => [delay, [i / 10]]),
  );
  const looks = figure.data.map(({ line }) => line as { color: string; dash: string });
  const [oneStep, light, dark, again] = looks;
  assert.deepEqual(
    looks.map(({ dash }) => dash !== "solid"),
    [true, false, false, true],
  );
  assert.equal(dark?.color, again?.color);
  const green = (color = ""): number => parseInt(color.slice(3, 5), 16);
  assert.ok(green(light?.color) > green(dark?.color));
  assert.notEqual(oneStep?.color, dark?.color);
});

test("in the long run each training keeps its line, in order of appearance, the reference last and dotted", () => {
  const figure = accuracyInTheLongRunFigure(
    from(
      ["c", "b", "a"].flatMap((training) =>
        [0, 1].map((timestep) => ({ training, timestep, accuracy: 0.5 })),
      ),
    ),
    "c",
  );
  assertSnapshot("accuracy-in-the-long-run", figure);
  assert.deepEqual(
    figure.data.map(({ name, x }) => [name, x]),
    ["b", "a", "c"].map((name) => [name, [0, 1]]),
  );
  assert.deepEqual(
    figure.data.map(({ marker }) => (marker as { symbol: string }).symbol.endsWith("-open")),
    [false, false, true],
  );
  assert.throws(() => accuracyInTheLongRunFigure(from([{ training: "a", timestep: 0 }])), /"accuracy"/);
});

test("distances keep their zeros and every cascade its line", () => {
  const figure = distanceOverTimeFigure(
    from([
      { cascade: "parallel", timestep: 0, distance: 1 },
      { cascade: "parallel", timestep: 1, distance: 0 },
      { cascade: "serial", timestep: 0, distance: 0.5 },
    ]),
  );
  assertSnapshot("distance-over-time", figure);
  assert.deepEqual(
    figure.data.map(({ name, y }) => [name, y]),
    [
      ["parallel", [1, 0]],
      ["serial", [0.5]],
    ],
  );
  assert.throws(() => distanceOverTimeFigure(from([{ cascade: "a", timestep: 0 }])), /"distance"/);
});

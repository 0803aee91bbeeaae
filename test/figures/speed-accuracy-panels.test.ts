import assert from "node:assert/strict";
import { test } from "node:test";
import { from } from "arquero";
import { speedAccuracyOfDataSets, speedAccuracyPanels } from "../../lib/figures/speed-accuracy-panels.js";
import { modelStyles } from "../../lib/figures/style.js";
import { assertSnapshot } from "./snapshot.js";

const MODELS = ["SerialCE", "CascadedCE", "CascadedTD", "SerialTD"];
const SPEEDS = ["meanStoppingTime", "meanMultiplyAdds", "meanMilliseconds"] as const;
const table = from(
  MODELS.flatMap((model, m) =>
    [0, 1].flatMap((seed) =>
      [0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1].map((threshold) => ({
        model,
        seed,
        threshold,
        accuracy: threshold / 2 + m / 20 + seed / 50,
        meanStoppingTime: 8 * threshold,
        meanMultiplyAdds: 4e6 * threshold,
        meanMilliseconds: (m + 1) * threshold,
        asymptoticAccuracy: 0.5,
      })),
    ),
  ),
);

interface Drawn {
  readonly name: string;
  readonly mode: string;
  readonly x: number[];
  readonly y: number[];
  readonly xaxis: string;
  readonly yaxis: string;
  readonly showlegend?: boolean;
  readonly legendrank: number;
}

test("each panel draws the same accuracies over its own speed; one legend, cascaded models first", () => {
  const figure = speedAccuracyPanels(table, SPEEDS);
  assertSnapshot("speed-accuracy-panels", figure);
  const lines = (figure.data as unknown as Drawn[]).filter(({ mode }) => mode === "lines+markers");
  assert.equal(lines.length, SPEEDS.length * MODELS.length);
  const styled = [...modelStyles(MODELS).keys()];
  ["", "2", "3"].forEach((axis, panel) => {
    const own = lines.filter(({ xaxis, yaxis }) => xaxis === `x${axis}` && yaxis === `y${axis}`);
    assert.deepEqual(
      own.map(({ name }) => name),
      styled,
    );
    for (const { name, x, y } of own) {
      const m = MODELS.indexOf(name);
      assert.equal(x.at(-1), [8, 4, m + 1][panel]);
      // Two seeds, 0.02 apart.
      // Halfway, at the threshold of a half.
      assert.ok(Math.abs((y[(y.length - 1) / 2] ?? NaN) - (0.25 + m / 20 + 0.01)) < 1e-12);
    }
  });
  const legend = lines.filter(({ showlegend }) => showlegend !== false);
  assert.deepEqual(
    legend.sort((a, b) => a.legendrank - b.legendrank).map(({ name }) => name),
    ["CascadedTD", "CascadedCE", "SerialTD", "SerialCE"],
  );
  const domains = ["xaxis", "xaxis2", "xaxis3"].map(
    (name) => (figure.layout[name] as { domain: [number, number] }).domain,
  );
  domains.forEach(([start, end], i) => {
    assert.ok(start < end && start >= (domains[i - 1]?.[1] ?? 0) && end <= 1 + 1e-12);
  });
});

test("deadlines are rings in the colour of their model, at the mean over seeds, out of the legend", () => {
  const deadlines = table.filter((row: { threshold: number }) => row.threshold < 1);
  const figure = speedAccuracyPanels(table, SPEEDS, deadlines);
  const rings = (figure.data as unknown as Drawn[]).filter(({ mode }) => mode === "markers");
  assert.equal(rings.length, SPEEDS.length * MODELS.length);
  const ring = rings.find(({ name, xaxis }) => name === "SerialTD, deadline" && xaxis === "x2");
  assert.deepEqual(ring?.x, [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5]);
  assert.ok(Math.abs((ring.y[4] ?? NaN) - (0.25 + 3 / 20 + 0.01)) < 1e-12);
  assert.ok(rings.every(({ showlegend }) => showlegend === false));
});

test("data sets stand side by side under their names, each with an accuracy axis of its own", () => {
  const harder = table.derive({ accuracy: (row: { accuracy: number }) => row.accuracy / 4 });
  const figure = speedAccuracyOfDataSets([
    { title: "cifar10", table },
    { title: "cifar100", table: harder, deadlines: harder },
  ]);
  assertSnapshot("speed-accuracy-panels.datasets", figure);
  const lines = (figure.data as unknown as Drawn[]).filter(({ mode }) => mode === "lines+markers");
  const last = (axis: string): number[] =>
    lines.filter(({ xaxis }) => xaxis === axis).map(({ y }) => y.at(-1) ?? NaN);
  for (const [i, value] of last("x").entries())
    assert.ok(Math.abs(value / 4 - (last("x2")[i] ?? NaN)) < 1e-12);
  const { annotations, yaxis2 } = figure.layout as {
    annotations: { text: string }[];
    yaxis2: { matches?: string };
  };
  assert.deepEqual(
    annotations.map(({ text }) => text),
    ["<b>a</b>", "cifar10", "<b>b</b>", "cifar100"],
  );
  assert.equal(yaxis2.matches, undefined);
});

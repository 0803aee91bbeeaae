import assert from "node:assert/strict";
import { test } from "node:test";
import { escape, from, type ColumnTable } from "arquero";
import { DataFrame } from "danfojs-node";
import { accuracyOverTimeFigure } from "../../lib/figures/accuracy-over-time.js";
import { calibrationOverTimeFigure } from "../../lib/figures/calibration-over-time.js";
import { costFigure } from "../../lib/figures/cost.js";
import type { PlotlyFigure } from "../../lib/figures/figure.js";
import { functionalDepthFigure } from "../../lib/figures/functional-depth.js";
import { reliabilityFigure } from "../../lib/figures/reliability.js";
import { speedAccuracyFigure } from "../../lib/figures/speed-accuracy.js";
import { modelStyles, WIDTH } from "../../lib/figures/style.js";
import { tdTargetsFigure } from "../../lib/figures/td-targets.js";
import { typicalityFigure } from "../../lib/figures/typicality.js";
import { accuracyTable } from "../../lib/trace/accuracy-per-timestep.js";
import { recipeTrace } from "../../lib/experiments/parity/recipe-trace.js";
import { calibrationTable, reliabilityTable } from "../../lib/trace/calibration.js";
import { speedAccuracyTable } from "../../lib/trace/speed-accuracy-curve.js";
import type { Trace } from "../../lib/trace/trace.js";
import { typicalityTable } from "../../lib/trace/typicality.js";
import { UserError } from "../../lib/util/errors.js";
import { assertSnapshot } from "./snapshot.js";

const MODELS = [
  "CascadedTD",
  "CascadedTD-MultiHead",
  "CascadedCE",
  "SerialTD",
  "SerialTD-MultiHead",
  "SerialCE",
];

const { trace, ease } = recipeTrace(5, 60, 4);
const seeds = [1, 1.2, 1.5].map((scale): Trace => ({ ...trace, logits: trace.logits.map((l) => scale * l) }));
const cost = { multiplyAdds: [1e6, 3e6, 6e6, 10e6, 15e6] };

/** The tables of every model and seed, one below the other. */
function tableOf(analysis: (named: Trace) => ColumnTable, models = MODELS, repeats = seeds): ColumnTable {
  const tables = models.flatMap((model) =>
    repeats.map((one, seed) => analysis({ ...one, model, cost }).derive({ seed: escape(() => seed) })),
  );
  return tables.slice(1).reduce((all, one) => all.concat(one), tables[0] as ColumnTable);
}

const lambdas = [0, 0.5, 1].flatMap((lambda) => [
  { lambda, timestep: 0, source: 1, weight: 1 - lambda },
  { lambda, timestep: 0, source: 2, weight: lambda },
  { lambda, timestep: 1, source: 2, weight: 1 },
]);

const accuracyFigure = accuracyOverTimeFigure(tableOf(accuracyTable));
const speedFigure = speedAccuracyFigure(tableOf(speedAccuracyTable), "meanMultiplyAdds");
const cScores = ease.map((value) => (value + 1) / 2);
const latencies = (named: Trace) =>
  typicalityTable(named, cScores, { kind: "confidence", threshold: 0.7 }, 5);

const figures: Readonly<Record<string, PlotlyFigure>> = {
  "accuracy-over-time": accuracyFigure,
  "speed-accuracy": speedFigure,
  "calibration-over-time": calibrationOverTimeFigure(tableOf(calibrationTable, ["CascadedTD"], [trace])),
  reliability: reliabilityFigure(reliabilityTable(trace)),
  typicality: typicalityFigure(tableOf(latencies)),
  "typicality.accuracy": typicalityFigure(tableOf(latencies), "accuracy"),
  "td-targets": tdTargetsFigure(from(lambdas)),
  "functional-depth": functionalDepthFigure(
    [
      [0, 0, 0],
      [0, 1, 1],
    ],
    ["stem", "1"],
  ),
  cost: costFigure(from([{ timestep: 0, computedOnce: 2e6, repeated: 5e6 }])),
};

interface Drawn {
  readonly name: string;
  readonly mode?: string;
  readonly x: number[];
  readonly y: number[];
  readonly z?: number[][];
  readonly line?: { readonly color: string; readonly dash: string };
  readonly marker?: { readonly color: string; readonly symbol: string };
  readonly error_y?: { readonly array: (number | null)[] };
}
const drawn = (figure: PlotlyFigure): Drawn[] => figure.data as unknown as Drawn[];
const lineOf = (figure: PlotlyFigure, model: string): Drawn => {
  const line = drawn(figure).find(({ name, mode }) => name === model && mode === "lines+markers");
  assert.ok(line, `no line of ${model}`);
  return line;
};

test("every figure is as its snapshot, as wide as a column or two, with titled axes", () => {
  for (const [name, figure] of Object.entries(figures)) {
    assertSnapshot(name, figure);
    assert.ok([WIDTH.column, WIDTH.double].includes(figure.layout["width"] as number), name);
    for (const axis of ["xaxis", "yaxis"]) {
      const { title } = figure.layout[axis] as { title: { text: string } };
      assert.ok(title.text.length > 3, `${name} ${axis}`);
    }
  }
  assert.deepEqual([WIDTH.column, WIDTH.double], [317, 658]);
});

test("a model looks the same in every figure and unlike any other", () => {
  const looks = [...modelStyles(MODELS).values()];
  assert.equal(new Set(looks.map(({ color }) => color)).size, MODELS.length);
  assert.equal(new Set(looks.map(({ symbol }) => symbol)).size, MODELS.length);
  for (const [model, { color, dash, symbol }] of modelStyles(MODELS)) {
    assert.deepEqual([...modelStyles(["another", model])][0], [model, { color, dash, symbol }]);
    for (const figure of [accuracyFigure, speedFigure, figures["typicality"] as PlotlyFigure]) {
      const { line, marker } = lineOf(figure, model);
      assert.deepEqual(
        [line?.color, line?.dash, marker?.color, marker?.symbol],
        [color, dash, color, symbol],
      );
    }
  }
});

test("lines are means over seeds, bands one standard error wide, asymptotes and units as named", () => {
  const timestep = 3;
  const values = seeds.map((seed) => accuracyTable(seed).get("accuracy", timestep) as number);
  const mean = values.reduce((sum, value) => sum + value, 0) / 3;
  const error = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 2 / 3);
  assert.ok(Math.abs((lineOf(accuracyFigure, "SerialTD").y[timestep] as number) - mean) < 1e-12);
  const band = drawn(accuracyFigure).find(({ name }) => name === "SerialTD ± standard error");
  assert.ok(band && Math.abs((band.y[timestep] as number) - mean - error) < 1e-12);
  assert.ok(Math.abs((band.y.at(-1 - timestep) as number) - mean + error) < 1e-12);
  const speed = lineOf(speedFigure, "CascadedTD");
  assert.ok(Math.abs((speed.x.at(-1) as number) - 15) < 1e-12);
  const asymptotes = drawn(speedFigure).filter(({ name }) => name.endsWith(", asymptotic"));
  assert.equal(asymptotes.length, MODELS.length);
  assert.ok(Math.abs((asymptotes[0]?.y[1] as number) - (speed.y.at(-1) as number)) < 1e-12);
  const [single] = drawn(figures["calibration-over-time"] as PlotlyFigure);
  assert.equal(drawn(figures["calibration-over-time"] as PlotlyFigure).length, 1, "a single run has no band");
  assert.equal(single?.y.length, 5);
});

test("heat maps, bars and panels hold their table", () => {
  const [zero, half] = drawn(figures["td-targets"] as PlotlyFigure);
  assert.deepEqual(zero?.z, [
    [1, 0],
    [null, 1],
  ]);
  assert.deepEqual(half?.z?.[0], [0.5, 0.5]);
  assert.deepEqual(
    drawn(figures["cost"] as PlotlyFigure).map(({ y }) => y),
    [[2], [5]],
  );
  assert.deepEqual((figures["functional-depth"] as PlotlyFigure).data[0]?.["text"], [
    ["0", "", ""],
    ["0", "1", ""],
  ]);
});

test("a table that a figure cannot draw is refused by figure, column and row", () => {
  const table = accuracyTable({ ...trace, model: "CascadedTD" });
  assert.throws(
    () => accuracyOverTimeFigure(accuracyTable(trace)),
    /accuracy over time .*"model".*timestep, accuracy/,
  );
  assert.throws(() => speedAccuracyFigure(table), /"threshold"/);
  const twice = speedAccuracyTable({ ...trace, model: "CascadedTD" });
  assert.throws(() => speedAccuracyFigure(twice.concat(twice)), /"seed".*several curves of CascadedTD/);
  assert.throws(() => costFigure(from([{ timestep: 0, computedOnce: "2", repeated: 1 }])), /row 0 has "2"/);
  assert.throws(() => reliabilityFigure(reliabilityTable(trace), [7]), /timestep 7/);
  assert.throws(() => reliabilityFigure(tableOf(reliabilityTable)), /one model/);
  assert.throws(() => functionalDepthFigure([[0], [0, 1]], ["stem", "1"]), UserError);
});

test("latency and accuracy against typicality are drawn over the same C-scores, each from its own column", () => {
  const table = tableOf(latencies, ["CascadedTD"], [trace]);
  for (const column of ["selectionLatency", "accuracy"] as const) {
    const { x, y } = lineOf(typicalityFigure(table, column), "CascadedTD");
    assert.deepEqual(x, [...(table.array("cScore") as Float64Array)]);
    assert.deepEqual(y, [...(table.array(column) as Float64Array)]);
  }
});

test("a figure is the same from rows, an arquero table and a danfo data frame; what is missing of any is said", () => {
  const table = accuracyTable({ ...trace, model: "CascadedTD" });
  const rows = table.objects({ limit: Infinity });
  const frame = new DataFrame(rows);
  for (const same of [rows, frame])
    assert.deepEqual(accuracyOverTimeFigure(same), accuracyOverTimeFigure(table));
  for (const lacking of [[{ timestep: 0 }], from([{ timestep: 0 }]), new DataFrame([{ timestep: 0 }])])
    assert.throws(
      () => accuracyOverTimeFigure(lacking),
      /needs a column "accuracy"; its table has timestep$/,
    );
  for (const empty of [[], from([])]) assert.throws(() => accuracyOverTimeFigure(empty), /has no rows/);
});

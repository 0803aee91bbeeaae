import { mean, standardError } from "../util/statistics.js";
import type { PlotlyFigure, PlotlyObject } from "./figure.js";
import { modelLine } from "./model-line.js";
import { axis, layout, millimetres, modelStyles, shareAxis, THIN_LINE_WIDTH } from "./style.js";
import { finiteOrNull, tableRows } from "./table-rows.js";
import { groupRows } from "../util/group-rows.js";
import type { TableLike } from "../util/table-cells.js";

/** What is drawn against typicality. */
export type TypicalityColumn = "selectionLatency" | "accuracy";

const BAR_WIDTH = 0.03;
const COUNT_COLOR = "#9A9A9A";

const QUANTITY = {
  selectionLatency: {
    error: "latencyStandardError",
    yaxis: (): PlotlyObject => axis("Selection latency (timesteps)", { showgrid: true }),
  },
  accuracy: {
    error: "accuracyStandardError",
    yaxis: (): PlotlyObject => shareAxis("Accuracy when selected"),
  },
} as const;

/** Shares of the drawing's height: how many images a bin has, and what is drawn of them. */
const COUNTS = [0, 0.13] as const;
const QUANTITIES = [0.19, 1] as const;

/**
 * Selection latency, or accuracy at it, against C-score, a line for each model with bars of one standard error: over
 * the rows of equal model and bin (seeds), or over the bin's examples where there is one row. Below, how many examples n a
 * bin has, on the mean over its rows. `title` is that of the axis of typicality.
 * Table: model, lower, cScore, examples, and selectionLatency, latencyStandardError or accuracy, accuracyStandardError.
 */
export function typicalityFigure(
  table: TableLike,
  column: TypicalityColumn = "selectionLatency",
  title = "C-score (1 = typical)",
): PlotlyFigure {
  const { error: errorColumn, yaxis } = QUANTITY[column];
  const rows = tableRows(
    "typicality",
    table,
    ["lower", "cScore", "examples", column, errorColumn],
    ["model"],
  );
  const models = groupRows(rows, (row) => row.model);
  const data = [...modelStyles(models.keys())].map(([model, style]) => {
    const bins = [...groupRows(models.get(model) ?? [], (row) => row.lower)].sort(([a], [b]) => a - b);
    const line = bins.map(([, bin]) => {
      const values = bin.map((row) => row[column]);
      const error = bin.length > 1 ? standardError(values) : (bin[0]?.[errorColumn] ?? NaN);
      return { x: mean(bin.map((row) => row.cScore)), y: mean(values), standardError: error };
    });
    const array = line.map((point) => finiteOrNull(point.standardError));
    const bars = { type: "data", array, color: style.color, thickness: THIN_LINE_WIDTH, width: 2 };
    return { ...modelLine(model, style, line), error_y: bars };
  });
  const counts = [...groupRows(rows, (row) => row.lower)].map(([, bin]) => ({
    x: mean(bin.map((row) => row.cScore)),
    y: mean(bin.map((row) => row.examples)),
  }));
  const bars = {
    type: "bar",
    name: "images",
    showlegend: false,
    x: counts.map(({ x }) => x),
    y: counts.map(({ y }) => y),
    width: BAR_WIDTH,
    marker: { color: COUNT_COLOR },
    xaxis: "x",
    yaxis: "y2",
  };
  return {
    data: [...data, bars],
    layout: layout({
      height: millimetres(64),
      legendEntries: models.size,
      axes: {
        xaxis: axis(title, { range: [-0.03, 1.03], dtick: 0.2, anchor: "y2" }),
        yaxis: { ...yaxis(), domain: QUANTITIES },
        yaxis2: axis("n", { domain: COUNTS, nticks: 2, rangemode: "tozero" }),
      },
    }),
  };
}

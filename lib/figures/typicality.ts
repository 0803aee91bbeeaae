import type { ColumnTable } from "arquero";
import { mean, standardError } from "../util/statistics.js";
import type { PlotlyFigure, PlotlyObject } from "./figure.js";
import { modelLine } from "./model-line.js";
import { axis, layout, modelStyles, shareAxis, THIN_LINE_WIDTH } from "./style.js";
import { finiteOrNull, tableRows } from "./table-rows.js";
import { groupRows } from "../util/group-rows.js";

/** What is drawn against typicality. */
export type TypicalityColumn = "selectionLatency" | "accuracy";

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

/**
 * Selection latency, or accuracy at it, against C-score, a line for each model with bars of one standard error: over
 * the rows of equal model and bin (seeds), or over the bin's examples where there is one row.
 * Table: model, lower, cScore, and selectionLatency, latencyStandardError or accuracy, accuracyStandardError.
 */
export function typicalityFigure(
  table: ColumnTable,
  column: TypicalityColumn = "selectionLatency",
): PlotlyFigure {
  const { error: errorColumn, yaxis } = QUANTITY[column];
  const rows = tableRows("typicality", table, ["lower", "cScore", column, errorColumn], ["model"]);
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
  return {
    data,
    layout: layout({
      legendEntries: models.size,
      axes: { xaxis: axis("C-score (1 = typical)", { range: [-0.03, 1.03], dtick: 0.2 }), yaxis: yaxis() },
    }),
  };
}

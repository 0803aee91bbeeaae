import type { ColumnTable } from "arquero";
import { mean, standardError } from "../util/statistics.js";
import type { PlotlyFigure } from "./figure.js";
import { modelLine } from "./model-line.js";
import { axis, layout, modelStyles, THIN_LINE_WIDTH } from "./style.js";
import { finiteOrNull, groupRows, tableRows } from "./table-rows.js";

/**
 * Selection latency against C-score, a line for each model with bars of one standard error: over the rows of equal
 * model and bin (seeds), or over the bin's examples where there is one row.
 * Table: model, lower, cScore, selectionLatency, latencyStandardError.
 */
export function typicalityFigure(table: ColumnTable): PlotlyFigure {
  const columns = ["lower", "cScore", "selectionLatency", "latencyStandardError"] as const;
  const rows = tableRows("typicality", table, columns, ["model"]);
  const models = groupRows(rows, (row) => row.model);
  const data = [...modelStyles(models.keys())].map(([model, style]) => {
    const bins = [...groupRows(models.get(model) ?? [], (row) => row.lower)].sort(([a], [b]) => a - b);
    const line = bins.map(([, bin]) => {
      const latencies = bin.map((row) => row.selectionLatency);
      const error = bin.length > 1 ? standardError(latencies) : (bin[0]?.latencyStandardError ?? NaN);
      return { x: mean(bin.map((row) => row.cScore)), y: mean(latencies), standardError: error };
    });
    const array = line.map((point) => finiteOrNull(point.standardError));
    const bars = { type: "data", array, color: style.color, thickness: THIN_LINE_WIDTH, width: 2 };
    return { ...modelLine(model, style, line), error_y: bars };
  });
  return {
    data,
    layout: layout({
      legendEntries: models.size,
      axes: {
        xaxis: axis("C-score (1 = typical)", { range: [-0.03, 1.03], dtick: 0.2 }),
        yaxis: axis("Selection latency (timesteps)", { showgrid: true }),
      },
    }),
  };
}

import type { PlotlyFigure } from "./figure.js";
import { heatmapPanels } from "./heatmap-panels.js";
import { tableRows } from "./table-rows.js";
import { groupRows } from "../util/group-rows.js";
import type { TableLike } from "../util/table-cells.js";

/**
 * What the TD(lambda) targets are made of, a panel for each lambda: the weight, in the target of each timestep
 * (row), of each later timestep's belief and, in the last column "y", of the label.
 * Table: lambda, timestep (0 .. T - 1), source (1 .. T - 1 for that timestep's belief, T for the label), weight.
 */
export function tdTargetsFigure(table: TableLike): PlotlyFigure {
  const rows = tableRows("TD targets", table, ["lambda", "timestep", "source", "weight"]);
  const T = Math.max(...rows.map((row) => row.source));
  const panels = [...groupRows(rows, (row) => row.lambda)].sort(([a], [b]) => a - b);
  return heatmapPanels(
    panels.map(([lambda, own]) => {
      const values = Array.from({ length: T }, () => Array<number | null>(T).fill(null));
      for (const { timestep, source, weight } of own) {
        const row = values[timestep];
        if (row) row[source - 1] = weight;
      }
      return { title: `λ = ${lambda}`, values };
    }),
    {
      columns: "Source (y: label)",
      columnNames: Array.from({ length: T }, (_, i) => (i + 1 === T ? "y" : String(i + 1))),
      rows: "Timestep of the target",
      firstRow: 0,
      rowsGo: "down",
      quantity: "Weight",
    },
  );
}

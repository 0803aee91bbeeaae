import type { PlotlyFigure } from "./figure.js";
import { linesOverTime } from "./lines-over-time.js";
import { modelStyles } from "./style.js";
import { tableRows } from "./table-rows.js";
import { groupRows } from "../util/group-rows.js";
import type { TableLike } from "../util/table-cells.js";

/**
 * A quantity at each timestep, a line for each model: the mean over the rows of equal model and timestep (seeds) in a
 * band of one standard error. Table: model, timestep and the quantity's column.
 */
export function modelsOverTime(
  table: TableLike,
  column: "accuracy" | "expectedCalibrationError",
  { name, title }: { readonly name: string; readonly title: string },
): PlotlyFigure {
  const rows = tableRows(name, table, ["timestep", column], ["model"]);
  const models = groupRows(rows, (row) => row.model);
  const lines = [...modelStyles(models.keys())].map(([model, style]) => ({
    name: model,
    style,
    rows: (models.get(model) ?? []).map((row) => ({ timestep: row.timestep, share: row[column] })),
  }));
  return linesOverTime(lines, title);
}

import type { PlotlyFigure, PlotlyObject } from "./figure.js";
import { errorBand, meanLine, modelLine } from "./model-line.js";
import { layout, legendColumnsOf, modelStyles, timestepAxis } from "./style.js";
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
  { name, yaxis }: { readonly name: string; readonly yaxis: PlotlyObject },
): PlotlyFigure {
  const rows = tableRows(name, table, ["timestep", column], ["model"]).map((row) => ({
    model: row.model,
    timestep: row.timestep,
    value: row[column],
  }));
  const models = groupRows(rows, (row) => row.model);
  const lines = [...modelStyles(models.keys())].map(([model, style]) => {
    const timestep = (row: { readonly timestep: number }): number => row.timestep;
    const line = meanLine(models.get(model) ?? [], timestep, timestep, (row) => row.value);
    return { model, style, line };
  });
  return {
    data: [
      ...lines.flatMap(({ model, style, line }) => errorBand(model, style, line)),
      ...lines.map(({ model, style, line }) => modelLine(model, style, line)),
    ],
    layout: layout({
      legendEntries: models.size,
      legendColumns: legendColumnsOf([...models.keys()]),
      axes: { xaxis: timestepAxis(Math.max(...rows.map((row) => row.timestep))), yaxis },
    }),
  };
}

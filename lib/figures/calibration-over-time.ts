import type { ColumnTable } from "arquero";
import type { PlotlyFigure } from "./figure.js";
import { errorBand, meanLine, modelLine } from "./model-line.js";
import { axis, layout, modelStyles, timestepAxis } from "./style.js";
import { groupRows, tableRows } from "./table-rows.js";

/**
 * Expected calibration error at each timestep, a line for each model: the mean over the rows of equal model and
 * timestep (seeds) in a band of one standard error. Table: model, timestep, expectedCalibrationError.
 */
export function calibrationOverTimeFigure(table: ColumnTable): PlotlyFigure {
  const rows = tableRows("calibration over time", table, ["timestep", "expectedCalibrationError"], ["model"]);
  const models = groupRows(rows, (row) => row.model);
  const lines = [...modelStyles(models.keys())].map(([model, style]) => {
    const timestep = (row: (typeof rows)[number]): number => row.timestep;
    const line = meanLine(models.get(model) ?? [], timestep, timestep, (row) => row.expectedCalibrationError);
    return { model, style, line };
  });
  return {
    data: [
      ...lines.flatMap(({ model, style, line }) => errorBand(model, style, line)),
      ...lines.map(({ model, style, line }) => modelLine(model, style, line)),
    ],
    layout: layout({
      legendEntries: models.size,
      axes: {
        xaxis: timestepAxis(Math.max(...rows.map((row) => row.timestep))),
        yaxis: axis("Expected calibration error", { rangemode: "tozero", showgrid: true }),
      },
    }),
  };
}

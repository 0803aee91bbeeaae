import type { ColumnTable } from "arquero";
import type { PlotlyFigure } from "./figure.js";
import { modelsOverTime } from "./models-over-time.js";
import { axis } from "./style.js";

/**
 * Expected calibration error at each timestep, a line for each model. Table: model, timestep,
 * expectedCalibrationError.
 */
export function calibrationOverTimeFigure(table: ColumnTable): PlotlyFigure {
  const yaxis = axis("Expected calibration error", { rangemode: "tozero", showgrid: true });
  return modelsOverTime(table, "expectedCalibrationError", { name: "calibration over time", yaxis });
}

import type { ColumnTable } from "arquero";
import type { PlotlyFigure } from "./figure.js";
import { modelsOverTime } from "./models-over-time.js";
import { shareAxis } from "./style.js";

/**
 * Expected calibration error at each timestep, a line for each model. Table: model, timestep,
 * expectedCalibrationError.
 */
export function calibrationOverTimeFigure(table: ColumnTable): PlotlyFigure {
  const yaxis = shareAxis("Expected calibration error");
  return modelsOverTime(table, "expectedCalibrationError", { name: "calibration over time", yaxis });
}

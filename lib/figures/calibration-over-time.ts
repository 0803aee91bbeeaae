import type { PlotlyFigure } from "./figure.js";
import { modelsOverTime } from "./models-over-time.js";
import type { TableLike } from "../util/table-cells.js";

/**
 * Expected calibration error at each timestep, a line for each model. Table: model, timestep,
 * expectedCalibrationError.
 */
export function calibrationOverTimeFigure(table: TableLike): PlotlyFigure {
  return modelsOverTime(table, "expectedCalibrationError", {
    name: "calibration over time",
    title: "Expected calibration error",
  });
}

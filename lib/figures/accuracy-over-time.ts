import type { PlotlyFigure } from "./figure.js";
import { modelsOverTime } from "./models-over-time.js";
import type { TableLike } from "../util/table-cells.js";

/** Accuracy at each timestep, a line for each model. Table: model, timestep, accuracy. */
export function accuracyOverTimeFigure(table: TableLike): PlotlyFigure {
  return modelsOverTime(table, "accuracy", { name: "accuracy over time", title: "Accuracy" });
}

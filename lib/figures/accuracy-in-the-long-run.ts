import type { ColumnTable } from "arquero";
import type { PlotlyFigure } from "./figure.js";
import { linesOverTime } from "./lines-over-time.js";
import { seriesStyle } from "./series-style.js";
import { groupRows, tableRows } from "./table-rows.js";

/**
 * Accuracy over many timesteps, a line for each training: the mean over the rows of equal training and timestep
 * (seeds) in a band of one standard error. Table: training (its name), timestep, accuracy.
 */
export function accuracyInTheLongRunFigure(table: ColumnTable): PlotlyFigure {
  const rows = tableRows("accuracy in the long run", table, ["timestep", "accuracy"], ["training"]);
  return linesOverTime(
    [...groupRows(rows, (row) => row.training)].map(([name, own], i) => ({
      name,
      style: seriesStyle(i),
      rows: own.map(({ timestep, accuracy }) => ({ timestep, share: accuracy })),
    })),
    "Accuracy",
  );
}

import type { PlotlyFigure } from "./figure.js";
import { linesOverTime } from "./lines-over-time.js";
import { REFERENCE_STYLE, seriesStyle } from "./series-style.js";
import { tableRows } from "./table-rows.js";
import { groupRows } from "../util/group-rows.js";
import type { TableLike } from "../util/table-cells.js";

/**
 * Accuracy over many timesteps, a line for each training: the mean over the rows of equal training and timestep
 * (seeds) in a band of one standard error. The training called `reference`, which others are compared with, comes
 * last and dotted. Table: training (its name), timestep, accuracy.
 */
export function accuracyInTheLongRunFigure(table: TableLike, reference?: string): PlotlyFigure {
  const rows = tableRows("accuracy in the long run", table, ["timestep", "accuracy"], ["training"]);
  const trainings = [...groupRows(rows, (row) => row.training)];
  const compared = trainings.filter(([name]) => name === reference);
  const ordered = [...trainings.filter(([name]) => name !== reference), ...compared];
  return linesOverTime(
    ordered.map(([name, own], i) => ({
      name,
      style: name === reference ? REFERENCE_STYLE : seriesStyle(i),
      rows: own.map(({ timestep, accuracy }) => ({ timestep, share: accuracy })),
    })),
    "Accuracy",
  );
}

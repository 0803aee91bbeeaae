import type { ColumnTable } from "arquero";
import type { PlotlyFigure } from "./figure.js";
import { noisePanels } from "./noise-panels.js";
import { shareAxis, timestepAxis } from "./style.js";
import { tableRows } from "./table-rows.js";

/**
 * Accuracy at each timestep under each noise and schedule, a line for each model, with clean images behind.
 * Table: noise, schedule ("none" for clean images), model, timestep, accuracy; a row each seed.
 */
export function accuracyUnderNoiseFigure(table: ColumnTable): PlotlyFigure {
  const texts = ["noise", "schedule", "model"] as const;
  const rows = tableRows("accuracy under noise", table, ["timestep", "accuracy"], texts);
  const last = Math.max(...rows.map(({ timestep }) => timestep));
  return noisePanels(
    rows.map(({ timestep, accuracy, ...row }) => ({ ...row, place: timestep, x: timestep, y: accuracy })),
    {
      xtitle: "Timestep",
      xaxis: { ...timestepAxis(last, ""), dtick: Math.max(1, Math.round(last / 2)) },
      yaxis: shareAxis("Accuracy", { range: [0, 1.05 * Math.max(...rows.map(({ accuracy }) => accuracy))] }),
    },
  );
}

import type { PlotlyFigure } from "./figure.js";
import { noisePanels } from "./noise-panels.js";
import { axis, timestepAxis } from "./style.js";
import { tableRows } from "./table-rows.js";
import type { TableLike } from "../util/table-cells.js";

/**
 * What each noise and schedule changes in accuracy at each timestep, in points, a line for each model: accuracy under noise
 * less that on clean images, of the same network. Table: noise, schedule, model, timestep, change (a share); a row each seed.
 */
export function accuracyUnderNoiseFigure(table: TableLike): PlotlyFigure {
  const texts = ["noise", "schedule", "model"] as const;
  const rows = tableRows("accuracy under noise", table, ["timestep", "change"], texts);
  const last = Math.max(...rows.map(({ timestep }) => timestep));
  const changes = rows.map(({ change }) => 100 * change);
  const [least, most] = [Math.min(0, ...changes), Math.max(0, ...changes)];
  const room = 0.05 * (most - least || 1);
  return noisePanels(
    rows.map(({ timestep, change, ...row }) => ({ ...row, place: timestep, x: timestep, y: 100 * change })),
    {
      xtitle: "Timestep",
      xaxis: { ...timestepAxis(last, ""), dtick: Math.max(1, Math.round(last / 2)) },
      yaxis: axis("Change (points)", { range: [least - room, most + room], showgrid: true }),
    },
  );
}

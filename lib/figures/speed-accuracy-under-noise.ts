import type { PlotlyFigure } from "./figure.js";
import { noisePanels } from "./noise-panels.js";
import { shareAxis, timestepAxis } from "./style.js";
import { tableRows } from "./table-rows.js";
import type { TableLike } from "../util/table-cells.js";

/**
 * Speed-accuracy curves under each noise and schedule, a line for each model.
 * Table: noise, schedule, model, threshold, meanStoppingTime, accuracy; a row each seed.
 */
export function speedAccuracyUnderNoiseFigure(table: TableLike): PlotlyFigure {
  const numbers = ["threshold", "meanStoppingTime", "accuracy"] as const;
  const texts = ["noise", "schedule", "model"] as const;
  const rows = tableRows("speed-accuracy under noise", table, numbers, texts);
  const last = Math.ceil(Math.max(...rows.map(({ meanStoppingTime }) => meanStoppingTime)));
  return noisePanels(
    rows.map(({ threshold, meanStoppingTime, accuracy, ...row }) => ({
      ...row,
      place: threshold,
      x: meanStoppingTime,
      y: accuracy,
    })),
    {
      xtitle: "Mean stopping time (timesteps)",
      xaxis: { ...timestepAxis(last, ""), dtick: Math.max(1, Math.round(last / 2)) },
      yaxis: shareAxis("Accuracy", { range: [0, 1.05 * Math.max(...rows.map(({ accuracy }) => accuracy))] }),
    },
  );
}

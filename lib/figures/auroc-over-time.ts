import type { ColumnTable } from "arquero";
import type { PlotlyFigure, PlotlyObject } from "./figure.js";
import { errorBand, meanLine, modelLine } from "./model-line.js";
import { axis, INK, layout, type ModelStyle, modelStyles, timestepAxis } from "./style.js";
import { tableRows } from "./table-rows.js";
import { groupRows } from "../util/group-rows.js";

const CONFIDENCE_DASH = "1.5px,2px";

/**
 * How well right answers are told from wrong ones at each timestep: for each model a line of filled symbols (GRU) and
 * a dotted one of open symbols (confidence), means over the rows of equal model, signal and timestep (seeds) in bands
 * of one standard error. Table: model, signal ("GRU" or "confidence"), timestep, auroc.
 */
export function aurocOverTimeFigure(table: ColumnTable): PlotlyFigure {
  const rows = tableRows("AUROC over time", table, ["timestep", "auroc"], ["model", "signal"]);
  const models = groupRows(rows, (row) => row.model);
  const lines = [...modelStyles(models.keys())].flatMap(([model, style]) =>
    (["GRU", "confidence"] as const).map((signal) => {
      const own = (models.get(model) ?? []).filter((row) => row.signal === signal);
      const timestep = (row: (typeof rows)[number]): number => row.timestep;
      const line = meanLine(own, timestep, timestep, (row) => row.auroc);
      const look =
        signal === "GRU"
          ? { ...style, dash: "solid" }
          : { ...style, dash: CONFIDENCE_DASH, symbol: `${style.symbol}-open` };
      return { model, signal, look, line };
    }),
  );
  return {
    data: [
      ...lines.flatMap(({ model, look, line }) => errorBand(model, look, line)),
      ...lines.map(({ model, signal, look, line }) => ({
        ...modelLine(model, look, line),
        showlegend: signal === "GRU",
      })),
      signalKey("GRU", { color: INK, dash: "solid", symbol: "circle" }),
      signalKey("confidence", { color: INK, dash: CONFIDENCE_DASH, symbol: "circle-open" }),
    ],
    layout: layout({
      legendEntries: models.size + 2,
      axes: {
        xaxis: timestepAxis(Math.max(...rows.map((row) => row.timestep))),
        yaxis: axis("AUROC of right against wrong", { showgrid: true, tickformat: ".2f" }),
      },
    }),
  };
}

/** An entry of the legend alone. */
function signalKey(name: string, look: ModelStyle): PlotlyObject {
  return modelLine(name, look, [{ x: NaN, y: NaN, standardError: NaN }]);
}

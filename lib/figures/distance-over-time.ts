import type { ColumnTable } from "arquero";
import type { PlotlyFigure } from "./figure.js";
import { meanLine, modelLine } from "./model-line.js";
import { axis, layout, modelStyles, timestepAxis } from "./style.js";
import { groupRows, tableRows } from "./table-rows.js";

/**
 * How far the logits still are from those of the ordinary network at each timestep, a line for each cascade: the
 * mean over the rows of equal cascade and timestep. Table: cascade, timestep, distance (relative).
 */
export function distanceOverTimeFigure(table: ColumnTable): PlotlyFigure {
  const rows = tableRows("distance over time", table, ["timestep", "distance"], ["cascade"]);
  const cascades = groupRows(rows, (row) => row.cascade);
  const timestep = (row: (typeof rows)[number]): number => row.timestep;
  return {
    data: [...modelStyles(cascades.keys())].map(([cascade, style]) =>
      modelLine(
        cascade,
        style,
        meanLine(cascades.get(cascade) ?? [], timestep, timestep, (row) => row.distance),
      ),
    ),
    layout: layout({
      legendEntries: cascades.size,
      axes: {
        xaxis: timestepAxis(Math.max(...rows.map(timestep))),
        yaxis: axis("Distance from the ordinary network", { rangemode: "tozero", showgrid: true }),
      },
    }),
  };
}

import type { PlotlyFigure } from "./figure.js";
import { meanLine, modelLine } from "./model-line.js";
import { seriesStyle } from "./series-style.js";
import { axis, layout, timestepAxis } from "./style.js";
import { tableRows } from "./table-rows.js";
import { groupRows } from "../util/group-rows.js";
import type { TableLike } from "../util/table-cells.js";

/**
 * How far the logits still are from those of the ordinary network at each timestep, a line for each cascade: the
 * mean over the rows of equal cascade and timestep. Table: cascade, timestep, distance (relative).
 */
export function distanceOverTimeFigure(table: TableLike): PlotlyFigure {
  const rows = tableRows("distance over time", table, ["timestep", "distance"], ["cascade"]);
  const cascades = groupRows(rows, (row) => row.cascade);
  const timestep = (row: (typeof rows)[number]): number => row.timestep;
  return {
    data: [...cascades].map(([cascade, own], i) =>
      modelLine(
        cascade,
        seriesStyle(i),
        meanLine(own, timestep, timestep, (row) => row.distance),
      ),
    ),
    layout: layout({
      legendEntries: cascades.size,
      axes: {
        xaxis: timestepAxis(Math.max(...rows.map(timestep))),
        yaxis: axis("Distance (relative)", { rangemode: "tozero", showgrid: true }),
      },
    }),
  };
}

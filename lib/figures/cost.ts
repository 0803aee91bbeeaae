import type { PlotlyFigure } from "./figure.js";
import { axis, layout, millimetres, OKABE_ITO, PALE, timestepAxis } from "./style.js";
import { tableRows } from "./table-rows.js";
import type { TableLike } from "../util/table-cells.js";

const MILLION = 1e6;

/**
 * Multiply-adds of each timestep, stacked: what is computed for the first time, and above it what repeats an earlier
 * evaluation and need not be computed again. Table: timestep, computedOnce, repeated (multiply-adds an image).
 */
export function costFigure(table: TableLike): PlotlyFigure {
  const rows = tableRows("cost", table, ["timestep", "computedOnce", "repeated"]);
  const bar = (name: string, column: "computedOnce" | "repeated", marker: object) => ({
    type: "bar",
    name,
    x: rows.map((row) => row.timestep),
    y: rows.map((row) => row[column] / MILLION),
    marker,
  });
  const hatch = { shape: "/", size: 4, solidity: 0.25, fgcolor: "#8C8C8C" };
  const last = Math.max(...rows.map((row) => row.timestep));
  return {
    data: [
      bar("computed once", "computedOnce", { color: OKABE_ITO.blue }),
      bar("repeated", "repeated", { color: "#E4E4E4", pattern: hatch, line: { color: PALE, width: 0.5 } }),
    ],
    layout: layout({
      height: millimetres(60),
      legendEntries: 2,
      axes: {
        barmode: "stack",
        bargap: 0.25,
        xaxis: { ...timestepAxis(last), range: [-0.6, last + 0.6] },
        yaxis: axis("Multiply-adds per image (millions)", { rangemode: "tozero", showgrid: true }),
      },
    }),
  };
}

import type { PlotlyFigure, PlotlyObject } from "./figure.js";
import {
  axis,
  layout,
  LINE_WIDTH,
  MARKER_SIZE,
  millimetres,
  OKABE_ITO,
  THIN_LINE_WIDTH,
  WIDTH,
} from "./style.js";
import { axisNumber, panelDomain } from "./panels.js";
import { tableRows } from "./table-rows.js";
import { groupRows } from "../util/group-rows.js";
import type { TableLike } from "../util/table-cells.js";

const TITLES: Readonly<Record<string, string>> = {
  timesteps: "Timesteps",
  width: "Width",
  depth: "Depth (layers)",
  batch: "Batch (images)",
  threads: "Threads",
};

const LINES = [
  { column: "training", precision: "float32", name: "training step, float32", color: OKABE_ITO.blue },
  { column: "training", precision: "mixed", name: "training step, mixed", color: OKABE_ITO.skyBlue },
  { column: "evaluation", precision: "float32", name: "evaluation, float32", color: OKABE_ITO.vermillion },
  { column: "evaluation", precision: "mixed", name: "evaluation, mixed", color: OKABE_ITO.orange },
] as const;

const GAP = 0.05;

/**
 * Time of one image against each thing it depends on, a panel each, on logarithmic axes. Table: variable, value,
 * precision, training and evaluation (milliseconds an image).
 */
export function timePerImageFigure(table: TableLike): PlotlyFigure {
  const rows = tableRows(
    "time per image",
    table,
    ["value", "training", "evaluation"],
    ["variable", "precision"],
  );
  const panels = [...groupRows(rows, (row) => row.variable)];
  const times = rows.flatMap((row) => [row.training, row.evaluation]).map(Math.log10);
  const range = [Math.min(...times) - 0.1, Math.max(...times) + 0.1];
  const axes: Record<string, PlotlyObject> = {};
  const data = panels.flatMap(([variable, own], i) => {
    const number = axisNumber(i);
    const values = [...new Set(own.map((row) => row.value))].sort((a, b) => a - b);
    axes[`xaxis${number}`] = axis(TITLES[variable] ?? variable, {
      type: "log",
      domain: panelDomain(i, panels.length, GAP),
      anchor: `y${number}`,
      tickvals: values,
      ticktext: values.map((value) =>
        value > 0 && value < 1 ? `1/${Math.round(1 / value)}` : String(value),
      ),
    });
    axes[`yaxis${number}`] = axis(i === 0 ? "Time per image (ms)" : "", {
      type: "log",
      range,
      anchor: `x${number}`,
      tickvals: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
      showticklabels: i === 0,
      showgrid: true,
    });
    return LINES.map(({ column, precision, name, color }): PlotlyObject => {
      const line = own.filter((row) => row.precision === precision).sort((a, b) => a.value - b.value);
      const mixed = precision === "mixed";
      return {
        type: "scatter",
        mode: "lines+markers",
        name,
        legendgroup: name,
        showlegend: i === 0,
        x: line.map((row) => row.value),
        y: line.map((row) => row[column]),
        xaxis: `x${number}`,
        yaxis: `y${number}`,
        line: { color, width: mixed ? THIN_LINE_WIDTH : LINE_WIDTH, dash: mixed ? "4px,2px" : "solid" },
        marker: { color, size: MARKER_SIZE, symbol: mixed ? "circle-open" : "circle" },
      };
    });
  });
  return {
    data,
    layout: layout({
      width: WIDTH.double,
      height: millimetres(50),
      legendEntries: LINES.length,
      legendColumns: 4,
      axes,
    }),
  };
}

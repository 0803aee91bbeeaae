import type { ColumnTable } from "arquero";
import type { PlotlyFigure, PlotlyObject } from "./figure.js";
import { axis, INK, layout, millimetres, points, SEQUENTIAL_SCALE, WIDTH } from "./style.js";
import { groupRows, tableRows } from "./table-rows.js";

const GAP = 0.03;
const COLOR_BAR = 0.09;

/**
 * What the TD(lambda) targets are made of, a panel for each lambda: the weight, in the target of each timestep
 * (row), of each later timestep's belief and, in the last column "y", of the label.
 * Table: lambda, timestep (0 .. T - 1), source (1 .. T - 1 for that timestep's belief, T for the label), weight.
 */
export function tdTargetsFigure(table: ColumnTable): PlotlyFigure {
  const rows = tableRows("TD targets", table, ["lambda", "timestep", "source", "weight"]);
  const panels = [...groupRows(rows, (row) => row.lambda)].sort(([a], [b]) => a - b);
  const T = Math.max(...rows.map((row) => row.source));
  const sources = Array.from({ length: T }, (_, i) => (i + 1 === T ? "y" : String(i + 1)));
  const width = panels.length > 2 ? WIDTH.double : WIDTH.column;
  const panelWidth = (1 - COLOR_BAR - GAP * (panels.length - 1)) / panels.length;
  const axes: Record<string, PlotlyObject> = {};
  const titles: PlotlyObject[] = [];
  const data = panels.map(([lambda, own], i) => {
    const number = i === 0 ? "" : String(i + 1);
    const start = i * (panelWidth + GAP);
    axes[`xaxis${number}`] = axis("Source (y: label)", {
      domain: [start, start + panelWidth],
      anchor: `y${number}`,
      type: "category",
      tickvals: sources.filter((_, s) => s + 1 === T || s % Math.ceil(T / 9) === 0),
      tickangle: 0,
    });
    axes[`yaxis${number}`] = axis(i === 0 ? "Timestep of the target" : "", {
      anchor: `x${number}`,
      range: [T - 0.5, -0.5],
      dtick: Math.ceil(T / 9),
      tick0: 0,
      showticklabels: i === 0,
    });
    titles.push({
      text: `λ = ${lambda}`,
      font: { size: points(8), color: INK },
      xref: "paper",
      x: start + panelWidth / 2,
      xanchor: "center",
      yref: "paper",
      y: 1.01,
      yanchor: "bottom",
      showarrow: false,
    });
    const weights: (number | null)[][] = Array.from({ length: T }, () => sources.map(() => null));
    for (const { timestep, source, weight } of own) {
      const row = weights[timestep];
      if (row) row[source - 1] = weight;
    }
    return {
      type: "heatmap",
      name: `λ = ${lambda}`,
      x: sources,
      y: weights.map((_, t) => t),
      z: weights,
      xaxis: `x${number}`,
      yaxis: `y${number}`,
      zmin: 0,
      zmax: 1,
      colorscale: SEQUENTIAL_SCALE,
      xgap: 0.5,
      ygap: 0.5,
      showscale: i === 0,
      colorbar: colorBar("Weight"),
    };
  });
  const height = millimetres(panels.length > 2 ? 52 : 54);
  const base = layout({ width, height, axes: { ...axes, annotations: titles } });
  return { data, layout: { ...base, margin: { l: 40, r: 4, t: 20, b: 36 } } };
}

function colorBar(title: string): PlotlyObject {
  return {
    title: { text: title, side: "right", font: { size: points(8) } },
    thickness: 8,
    outlinewidth: 0,
    len: 1,
    x: 1 - COLOR_BAR + 0.01,
    xanchor: "left",
    xpad: 0,
    ypad: 0,
    tickfont: { size: points(7) },
    ticks: "outside",
    ticklen: 2,
    tickvals: [0, 0.5, 1],
  };
}

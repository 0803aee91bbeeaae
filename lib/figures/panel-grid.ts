import type { PlotlyObject } from "./figure.js";
import { axisNumber } from "./panels.js";
import { INK, points } from "./style.js";

export interface PanelGridOptions {
  /** Names at the right of the rows, from the top. */
  readonly rows: readonly string[];
  /** Names above the columns. */
  readonly columns: readonly string[];
  /** The axes that all panels share; numbers, and the vertical axis's title, stand on the outer panels alone. */
  readonly xaxis: PlotlyObject;
  readonly yaxis: PlotlyObject;
  /** Stands once, below the middle. */
  readonly xtitle: string;
}

export interface PanelGrid {
  /** Axes and names, for the layout. */
  readonly axes: PlotlyObject;
  /** The axes of the panel in a row and a column, for what is drawn there. */
  readonly at: (row: number, column: number) => { readonly xaxis: string; readonly yaxis: string };
}

/** Shares of the drawing's width and height. */
const GAP = { across: 0.02, down: 0.06 };
const NAMES = { above: 0.07, right: 0.035 };

/** Panels of equal axes in rows and columns. */
export function panelGrid({ rows, columns, xaxis, yaxis, xtitle }: PanelGridOptions): PanelGrid {
  const width = (1 - NAMES.right - GAP.across * (columns.length - 1)) / columns.length;
  const height = (1 - NAMES.above - GAP.down * (rows.length - 1)) / rows.length;
  const number = (row: number, column: number): string => axisNumber(row * columns.length + column);
  const left = (column: number): number => column * (width + GAP.across);
  const bottom = (row: number): number => (rows.length - 1 - row) * (height + GAP.down);
  const axes: Record<string, PlotlyObject> = {};
  for (const row of rows.keys()) {
    for (const column of columns.keys()) {
      const own = number(row, column);
      axes[`xaxis${own}`] = {
        ...(row === rows.length - 1 ? xaxis : inner(xaxis)),
        domain: [left(column), left(column) + width],
        anchor: `y${own}`,
      };
      axes[`yaxis${own}`] = {
        ...(column === 0 ? yaxis : inner(yaxis)),
        domain: [bottom(row), bottom(row) + height],
        anchor: `x${own}`,
      };
    }
  }
  const name = (text: string, x: number, y: number): PlotlyObject => ({
    text,
    font: { size: points(8), color: INK },
    xref: "paper",
    yref: "paper",
    x,
    y,
    showarrow: false,
  });
  const annotations = [
    {
      ...name(xtitle, (1 - NAMES.right) / 2, 0),
      xanchor: "center",
      yanchor: "top",
      yshift: -18,
    },
    ...columns.map((text, column) => ({
      ...name(text, left(column) + width / 2, 1 - NAMES.above),
      xanchor: "center",
      yanchor: "bottom",
    })),
    ...rows.map((text, row) => ({
      ...name(text, 1, bottom(row) + height / 2),
      xanchor: "right",
      yanchor: "middle",
      textangle: 90,
    })),
  ];
  return {
    axes: { ...axes, annotations },
    at: (row, column) => ({ xaxis: `x${number(row, column)}`, yaxis: `y${number(row, column)}` }),
  };
}

function inner(axis: PlotlyObject): PlotlyObject {
  return { ...axis, title: { text: "" }, showticklabels: false };
}

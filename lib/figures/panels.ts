import type { PlotlyObject } from "./figure.js";
import { INK, points } from "./style.js";

/** Where panel i of n stands on a side of the drawing, with `gap` between neighbours: a share of the side. */
export function panelDomain(i: number, n: number, gap: number): readonly [number, number] {
  const length = (1 - gap * (n - 1)) / n;
  return [i * (length + gap), i * (length + gap) + length];
}

/** Plotly's number of an axis: none for the first, then 2, 3, ... */
export const axisNumber = (i: number): string => (i === 0 ? "" : String(i + 1));

/** A title over a panel, at the middle of its place and above `top`. */
export function panelTitle(
  text: string,
  [left, right]: readonly [number, number],
  top: number,
): PlotlyObject {
  return {
    text,
    font: { size: points(8), color: INK },
    xref: "paper",
    x: (left + right) / 2,
    xanchor: "center",
    yref: "paper",
    y: top,
    yanchor: "bottom",
    showarrow: false,
  };
}

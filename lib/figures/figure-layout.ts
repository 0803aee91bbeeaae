import type { PlotlyObject } from "./figure.js";
import { axis, layout, legendColumnsOf, WIDTH } from "./style.js";

/** What a plot shows, and how wide it is. */
export interface FigureLayoutOptions {
  /** Titles of the axes, with their units. */
  readonly x: string;
  readonly y: string;
  /** Whether y is a share, read in per cent. */
  readonly share?: boolean;
  /** The names of the legend, which stands above the axes; no legend unless told. */
  readonly names?: readonly string[];
  /** As wide as two columns of print in place of one. */
  readonly wide?: boolean;
}

/**
 * Plotly's layout of a plot of one's own with the look of the project's figures: their sizes, axes, letters, legend. What
 * it gives can be changed: `{ ...figureLayout({ x: "Timestep", y: "Images" }), height: 300 }`.
 */
export function figureLayout({
  x,
  y,
  share = false,
  names = [],
  wide = false,
}: FigureLayoutOptions): PlotlyObject {
  return layout({
    width: wide ? WIDTH.double : WIDTH.column,
    legendEntries: names.length,
    legendColumns: (wide ? 2 : 1) * legendColumnsOf(names),
    axes: { xaxis: axis(x), yaxis: axis(y, { showgrid: true, ...(share && { tickformat: ".0%" }) }) },
  });
}

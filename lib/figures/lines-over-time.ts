import type { PlotlyFigure } from "./figure.js";
import { errorBand, meanLine, modelLine } from "./model-line.js";
import { layout, legendColumnsOf, type ModelStyle, shareAxis, timestepAxis } from "./style.js";

/** A named line over time: its look, and a share for each seed and timestep. */
export interface LineOverTime {
  readonly name: string;
  readonly style: ModelStyle;
  readonly rows: readonly { readonly timestep: number; readonly share: number }[];
}

/**
 * A share at each timestep: for each line the mean over its rows of equal timestep (seeds) in a band of one standard
 * error. `title` is that of the axis of shares.
 */
export function linesOverTime(lines: readonly LineOverTime[], title: string): PlotlyFigure {
  const timestep = (row: { readonly timestep: number }): number => row.timestep;
  const drawn = lines.map(({ name, style, rows }) => ({
    name,
    style,
    line: meanLine(rows, timestep, timestep, (row) => row.share),
  }));
  return {
    data: [
      ...drawn.flatMap(({ name, style, line }) => errorBand(name, style, line)),
      ...drawn.map(({ name, style, line }) => modelLine(name, style, line)),
    ],
    layout: layout({
      legendEntries: lines.length,
      legendColumns: legendColumnsOf(lines.map(({ name }) => name)),
      axes: {
        xaxis: timestepAxis(Math.max(...lines.flatMap(({ rows }) => rows.map(timestep)))),
        yaxis: shareAxis(title),
      },
    }),
  };
}

import type { ColumnTable } from "arquero";
import type { PlotlyFigure } from "./figure.js";
import { errorBand, meanLine, modelLine } from "./model-line.js";
import { REFERENCE_STYLE, seriesStyle } from "./series-style.js";
import { layout, type ModelStyle, shareAxis, timestepAxis } from "./style.js";
import { groupRows, tableRows } from "./table-rows.js";

export interface OverTimeByLambdaOptions {
  /** What the column `share` holds, as the title of its axis. */
  readonly title: string;
  /** A dotted line to compare with: its name, and its values from timestep 0 on. */
  readonly reference?: { readonly name: string; readonly values: readonly number[] };
}

/**
 * A share at each timestep, a line for each lambda: the mean over the rows of equal lambda and timestep (seeds) in a
 * band of one standard error. Table: lambda, timestep, share.
 */
export function overTimeByLambdaFigure(
  table: ColumnTable,
  { title, reference }: OverTimeByLambdaOptions,
): PlotlyFigure {
  const rows = tableRows("lambda", table, ["lambda", "timestep", "share"]);
  const timestep = (row: (typeof rows)[number]): number => row.timestep;
  const lines = [...groupRows(rows, (row) => row.lambda)]
    .sort(([a], [b]) => a - b)
    .map(([lambda, own], i) => ({
      name: `λ = ${lambda}`,
      style: styleOf(lambda, i),
      line: meanLine(own, timestep, timestep, (row) => row.share),
    }));
  const compared = (reference?.values ?? []).map((y, x) => ({ x, y, standardError: NaN }));
  return {
    data: [
      ...lines.flatMap(({ name, style, line }) => errorBand(name, style, line)),
      ...lines.map(({ name, style, line }) => modelLine(name, style, line)),
      ...(reference === undefined ? [] : [modelLine(reference.name, REFERENCE_STYLE, compared)]),
    ],
    layout: layout({
      legendEntries: lines.length + (reference === undefined ? 0 : 1),
      axes: {
        xaxis: timestepAxis(Math.max(...rows.map(timestep), compared.length - 1)),
        yaxis: shareAxis(title),
      },
    }),
  };
}

/** Both ends look the same in every figure; what lies between takes its look by its place. */
function styleOf(lambda: number, place: number): ModelStyle {
  if (lambda === 0) return seriesStyle(0);
  return lambda === 1 ? seriesStyle(3) : seriesStyle(1 + ((place + 1) % 2));
}

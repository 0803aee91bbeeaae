import type { ColumnTable } from "arquero";
import type { PlotlyFigure } from "./figure.js";
import { errorBand, meanLine, modelLine } from "./model-line.js";
import { layout, type ModelStyle, OKABE_ITO, shareAxis, timestepAxis } from "./style.js";
import { groupRows, tableRows } from "./table-rows.js";

export interface OverTimeByLambdaOptions {
  /** What the column `share` holds, as the title of its axis. */
  readonly title: string;
  /** A dotted line to compare with: its name, and its values from timestep 0 on. */
  readonly reference?: { readonly name: string; readonly values: readonly number[] };
}

/** From the bootstrap alone to the label alone; hues that keep their order in grey. */
const STYLES: readonly ModelStyle[] = [
  { color: OKABE_ITO.blue, dash: "solid", symbol: "circle" },
  { color: OKABE_ITO.green, dash: "6px,2px", symbol: "square" },
  { color: OKABE_ITO.orange, dash: "3px,2px", symbol: "diamond" },
  { color: OKABE_ITO.vermillion, dash: "6px,2px,1.5px,2px", symbol: "triangle-up" },
];
const REFERENCE: ModelStyle = { color: OKABE_ITO.black, dash: "1.5px,2px", symbol: "circle-open" };

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
      style: STYLES[i % STYLES.length] as ModelStyle,
      line: meanLine(own, timestep, timestep, (row) => row.share),
    }));
  const compared = (reference?.values ?? []).map((y, x) => ({ x, y, standardError: NaN }));
  return {
    data: [
      ...lines.flatMap(({ name, style, line }) => errorBand(name, style, line)),
      ...lines.map(({ name, style, line }) => modelLine(name, style, line)),
      ...(reference === undefined ? [] : [modelLine(reference.name, REFERENCE, compared)]),
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

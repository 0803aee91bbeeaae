import type { PlotlyFigure } from "./figure.js";
import { type LineOverTime, linesOverTime } from "./lines-over-time.js";
import { orderedStyle, REFERENCE_STYLE } from "./series-style.js";
import { tableRows } from "./table-rows.js";
import { groupRows } from "../util/group-rows.js";
import type { TableLike } from "../util/table-cells.js";

/** What `overTimeByLambdaFigure` shows over time, and a line to compare with. */
export interface OverTimeByLambdaOptions {
  /** What the column `share` holds, as the title of its axis. */
  readonly title: string;
  /** A dotted line to compare with: its name, and its values from timestep 0 on. */
  readonly reference?: { readonly name: string; readonly values: readonly number[] };
}

/**
 * A share at each timestep, a line for each lambda, darker with lambda: the mean over the rows of equal lambda and
 * timestep (seeds) in a band of one standard error. Table: lambda, timestep, share.
 */
export function overTimeByLambdaFigure(
  table: TableLike,
  { title, reference }: OverTimeByLambdaOptions,
): PlotlyFigure {
  const rows = tableRows("lambda", table, ["lambda", "timestep", "share"]);
  const groups = [...groupRows(rows, (row) => row.lambda)].sort(([a], [b]) => a - b);
  const lines = groups.map(([lambda, own], i): LineOverTime => ({
    name: `λ = ${lambda}`,
    style: orderedStyle(i, groups.length),
    rows: own,
  }));
  const compared = (reference?.values ?? []).map((share, timestep) => ({ timestep, share }));
  return linesOverTime(
    [
      ...lines,
      ...(reference === undefined ? [] : [{ name: reference.name, style: REFERENCE_STYLE, rows: compared }]),
    ],
    title,
  );
}

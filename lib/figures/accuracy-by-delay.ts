import type { PlotlyFigure } from "./figure.js";
import { linesOverTime } from "./lines-over-time.js";
import { orderedStyle, REFERENCE_STYLE } from "./series-style.js";
import { tableRows } from "./table-rows.js";
import { groupRows } from "../util/group-rows.js";
import type { TableLike } from "../util/table-cells.js";

/**
 * Accuracy at each timestep, a line for each delay: the one-step delay (smoothing NaN) dotted, smoothing darker the
 * longer it takes, and dashed where an earlier line has the same a; the mean over the rows of equal delay and timestep
 * (seeds) in a band of one standard error. Table: delay (its name), smoothing (its a), timestep, accuracy.
 */
export function accuracyByDelayFigure(table: TableLike): PlotlyFigure {
  const rows = tableRows("accuracy by delay", table, ["smoothing", "timestep", "accuracy"], ["delay"]);
  const delays = [...groupRows(rows, (row) => row.delay)];
  const smoothed = [...new Set(rows.map((row) => row.smoothing).filter(Number.isFinite))].sort(
    (a, b) => a - b,
  );
  const drawn = new Set<number>();
  return linesOverTime(
    delays.map(([name, own]) => {
      const place = smoothed.indexOf(own[0]?.smoothing ?? NaN);
      const style = place < 0 ? REFERENCE_STYLE : orderedStyle(place, smoothed.length);
      const again = drawn.has(place);
      drawn.add(place);
      return {
        name,
        style: again ? { ...style, dash: "5px,2px", symbol: `${style.symbol}-open` } : style,
        rows: own.map(({ timestep, accuracy }) => ({ timestep, share: accuracy })),
      };
    }),
    "Accuracy",
  );
}

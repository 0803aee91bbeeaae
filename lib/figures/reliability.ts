import { UserError } from "../util/errors.js";
import type { PlotlyFigure } from "./figure.js";
import { INK, layout, LINE_WIDTH, MARKER_SIZE, millimetres, shareAxis, THIN_LINE_WIDTH } from "./style.js";
import { orderedStyle } from "./series-style.js";
import { finiteOrNull, tableRows } from "./table-rows.js";
import { groupRows } from "../util/group-rows.js";
import { rowsOf, type TableLike } from "../util/table-cells.js";

/**
 * Reliability of one model: accuracy against confidence over bins of confidence, a line for each of the timesteps
 * (three from first to last unless told), later ones darker; on the dashes confidence would equal accuracy.
 * Table: timestep, confidence, accuracy.
 */
export function reliabilityFigure(table: TableLike, timesteps?: readonly number[]): PlotlyFigure {
  const rows = tableRows("reliability", table, ["timestep", "confidence", "accuracy"]);
  if (new Set(rowsOf(table).map(({ model }) => model)).size > 1)
    throw new UserError("the reliability figure shows one model; filter its table to one");
  const byTimestep = groupRows(rows, (row) => row.timestep);
  const shown = timesteps ?? firstMiddleLast([...byTimestep.keys()].sort((a, b) => a - b));
  const lines = shown.map((t, i) => {
    const bins = byTimestep.get(t);
    if (!bins)
      throw new UserError(`the reliability figure was asked for timestep ${t}, which its table lacks`);
    const { color, symbol } = orderedStyle(i, shown.length);
    return {
      type: "scatter",
      mode: "lines+markers",
      name: `t = ${t}`,
      x: bins.map((bin) => finiteOrNull(bin.confidence)),
      y: bins.map((bin) => finiteOrNull(bin.accuracy)),
      line: { color, width: LINE_WIDTH },
      marker: { color, symbol, size: MARKER_SIZE },
    };
  });
  const diagonal = {
    type: "scatter",
    mode: "lines",
    name: "calibrated",
    showlegend: false,
    hoverinfo: "skip",
    x: [0, 1],
    y: [0, 1],
    line: { color: INK, width: THIN_LINE_WIDTH, dash: "2px,2px" },
  };
  const range = { range: [-0.02, 1.02], tick0: 0, dtick: 0.2 };
  return {
    data: [diagonal, ...lines],
    layout: layout({
      height: millimetres(72),
      legendEntries: shown.length,
      legendColumns: 4,
      axes: {
        xaxis: shareAxis("Confidence", { ...range, showgrid: false }),
        yaxis: shareAxis("Accuracy", range),
      },
    }),
  };
}

function firstMiddleLast(timesteps: readonly number[]): number[] {
  const last = timesteps.length - 1;
  return [...new Set([0, Math.round(last / 2), last])].map((i) => timesteps[i] as number);
}

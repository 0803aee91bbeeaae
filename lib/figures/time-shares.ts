import type { PlotlyFigure } from "./figure.js";
import { axis, layout, millimetres, OKABE_ITO, WIDTH } from "./style.js";
import { tableRows } from "./table-rows.js";
import { groupRows } from "../util/group-rows.js";
import type { TableLike } from "../util/table-cells.js";

const COLORS = [OKABE_ITO.blue, OKABE_ITO.orange, OKABE_ITO.green, OKABE_ITO.purple, "#D9D9D9"];

/**
 * Where time goes: a bar for each case, its parts in per cent of the whole, the whole in milliseconds beside its
 * name. Table: case, kind, milliseconds; kinds are stacked in the order in which they first appear.
 */
export function timeSharesFigure(table: TableLike): PlotlyFigure {
  const rows = tableRows("time shares", table, ["milliseconds"], ["case", "kind"]);
  const totals = new Map(
    [...groupRows(rows, (row) => row.case)].map(([name, own]) => [
      name,
      own.reduce((sum, row) => sum + row.milliseconds, 0),
    ]),
  );
  const label = (name: string): string => `${name}  ${(totals.get(name) ?? 0).toFixed(0)} ms`;
  const kinds = [...groupRows(rows, (row) => row.kind)];
  return {
    data: kinds.map(([kind, own], i) => ({
      type: "bar",
      orientation: "h",
      name: kind,
      y: own.map((row) => label(row.case)),
      x: own.map((row) => row.milliseconds / (totals.get(row.case) ?? NaN)),
      marker: { color: COLORS[i % COLORS.length] },
    })),
    layout: layout({
      width: WIDTH.double,
      height: millimetres(14 + 5.5 * totals.size),
      legendEntries: kinds.length,
      legendColumns: kinds.length,
      axes: {
        barmode: "stack",
        bargap: 0.3,
        xaxis: axis("Share of time", { tickformat: ".0%", range: [0, 1] }),
        yaxis: axis("", { autorange: "reversed" }),
      },
    }),
  };
}

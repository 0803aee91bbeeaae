import type { PlotlyFigure } from "./figure.js";
import { heatmapPanels } from "./heatmap-panels.js";
import { tableRows } from "./table-rows.js";
import { groupRows } from "../util/group-rows.js";
import type { TableLike } from "../util/table-cells.js";

/**
 * When each block is felt at the output, a panel for each scheme: the change of the logits at each timestep (column)
 * on removal of the block (row). Blank where the logits do not change at all.
 * Table: scheme, block (from 1), timestep, change.
 */
export function blockInfluenceFigure(table: TableLike): PlotlyFigure {
  const rows = tableRows("block influence", table, ["block", "timestep", "change"], ["scheme"]);
  const panels = [...groupRows(rows, (row) => row.scheme)].map(([title, own]) => {
    const blocks = Math.max(...own.map((row) => row.block));
    const timesteps = Math.max(...own.map((row) => row.timestep)) + 1;
    const values = Array.from({ length: blocks }, () => Array<number | null>(timesteps).fill(null));
    for (const { block, timestep, change } of own) {
      const row = values[block - 1];
      if (row) row[timestep] = change === 0 ? null : change;
    }
    return { title, values };
  });
  return heatmapPanels(panels, {
    columns: "Timestep",
    rows: "Block removed",
    firstRow: 1,
    rowsGo: "up",
    quantity: "Relative change of the logits",
  });
}

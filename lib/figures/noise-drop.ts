import { mean, standardError } from "../util/statistics.js";
import type { PlotlyFigure, PlotlyObject } from "./figure.js";
import { panelGrid } from "./panel-grid.js";
import {
  axis,
  INK,
  layout,
  MARKER_SIZE,
  millimetres,
  type ModelStyle,
  modelStyles,
  THIN_LINE_WIDTH,
  WIDTH,
} from "./style.js";
import { finiteOrNull, tableRows } from "./table-rows.js";
import { groupRows } from "../util/group-rows.js";
import type { TableLike } from "../util/table-cells.js";

/** Width that the models' dots take up beside each other, of the distance between two noises. */
const SPREAD = 0.55;

/**
 * By how much less each noise takes from one model than from each other one, of each its share of the clean accuracy above
 * chance, in points: dots with bars of one standard error over the rows (seeds, each paired with itself) of equal training,
 * schedule, noise and other model. A panel for each schedule (across) and training (down).
 * Table: training, schedule, noise, model (the other one), lead (a share).
 */
export function noiseDropFigure(table: TableLike, title: string): PlotlyFigure {
  const texts = ["training", "schedule", "noise", "model"] as const;
  const rows = tableRows("noise drop", table, ["lead"], texts);
  const trainings = [...groupRows(rows, (row) => row.training).keys()];
  const schedules = [...groupRows(rows, (row) => row.schedule).keys()];
  const noises = [...groupRows(rows, (row) => row.noise).keys()];
  const styles = modelStyles(rows.map(({ model }) => model));
  const reached = rows.map(({ lead }) => 100 * lead).filter(Number.isFinite);
  const range = [Math.min(0, ...reached) - 5, Math.max(0, ...reached) + 5];
  const grid = panelGrid({
    rows: trainings,
    columns: schedules,
    xtitle: "",
    xaxis: axis("", {
      range: [-0.6, noises.length - 0.4],
      tickmode: "array",
      tickvals: [...noises.keys()],
      ticktext: noises,
      tickangle: -30,
    }),
    yaxis: axis(title, {
      range,
      showgrid: true,
      zeroline: true,
      zerolinecolor: INK,
      zerolinewidth: THIN_LINE_WIDTH,
    }),
  });
  const data = trainings.flatMap((training, row) =>
    schedules.flatMap((schedule, column) => {
      const panel = rows.filter((one) => one.training === training && one.schedule === schedule);
      return [...styles].map(([model, style], place) => ({
        ...dots(
          style,
          noises.map((noise) => panel.filter((one) => one.noise === noise && one.model === model)),
          SPREAD * ((place + 0.5) / styles.size - 0.5),
        ),
        name: model,
        legendgroup: model,
        showlegend: row === 0 && column === 0,
        ...grid.at(row, column),
      }));
    }),
  );
  return {
    data,
    layout: layout({
      width: WIDTH.double,
      height: millimetres(20 + 40 * trainings.length),
      legendEntries: styles.size,
      legendColumns: 4,
      axes: grid.axes,
    }),
  };
}

/** Means of the leads at each noise, beside its place by `shift`, with bars of one standard error. */
function dots(
  { color, symbol }: ModelStyle,
  byNoise: readonly (readonly { readonly lead: number }[])[],
  shift: number,
): PlotlyObject {
  const leads = byNoise.map((rows) => rows.map(({ lead }) => 100 * lead));
  return {
    type: "scatter",
    mode: "markers",
    x: leads.map((_, i) => i + shift),
    y: leads.map((values) => finiteOrNull(mean(values))),
    error_y: {
      type: "data",
      array: leads.map((values) => finiteOrNull(standardError(values))),
      color,
      thickness: THIN_LINE_WIDTH,
      width: 2,
    },
    marker: { color, symbol, size: MARKER_SIZE },
  };
}

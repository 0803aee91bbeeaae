import type { ColumnTable } from "arquero";
import { mean, standardError } from "../util/statistics.js";
import type { PlotlyFigure, PlotlyObject } from "./figure.js";
import { panelGrid } from "./panel-grid.js";
import {
  axis,
  layout,
  MARKER_SIZE,
  millimetres,
  modelStyles,
  shareAxis,
  THIN_LINE_WIDTH,
  WIDTH,
} from "./style.js";
import { finiteOrNull, tableRows } from "./table-rows.js";
import { groupRows } from "../util/group-rows.js";

/** Width that the models' dots take up beside each other, of the distance between two noises. */
const SPREAD = 0.55;

/**
 * What each noise takes from each model's accuracy at the last timestep: dots with bars of one standard error over
 * the rows (seeds) of equal training, schedule, noise and model. A panel for each schedule (across) and training
 * (down). Table: training, schedule, noise, model, relativeDrop (share of the clean accuracy above chance).
 */
export function noiseDropFigure(table: ColumnTable): PlotlyFigure {
  const texts = ["training", "schedule", "noise", "model"] as const;
  const rows = tableRows("noise drop", table, ["relativeDrop"], texts);
  const trainings = [...groupRows(rows, (row) => row.training).keys()];
  const schedules = [...groupRows(rows, (row) => row.schedule).keys()];
  const noises = [...groupRows(rows, (row) => row.noise).keys()];
  const styles = modelStyles(rows.map(({ model }) => model));
  const reached = rows.map(({ relativeDrop }) => relativeDrop).filter(Number.isFinite);
  const range = [Math.min(-0.02, ...reached.map((drop) => drop - 0.05)), Math.max(...reached, 0) + 0.05];
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
    yaxis: shareAxis("Relative drop", { range }),
  });
  const data: PlotlyObject[] = [];
  for (const [row, training] of trainings.entries()) {
    for (const [column, schedule] of schedules.entries()) {
      for (const [place, [model, style]] of [...styles].entries()) {
        const shift = SPREAD * ((place + 0.5) / styles.size - 0.5);
        const drops = noises.map((noise) =>
          rows
            .filter(
              (other) =>
                other.training === training &&
                other.schedule === schedule &&
                other.noise === noise &&
                other.model === model,
            )
            .map(({ relativeDrop }) => relativeDrop),
        );
        data.push({
          type: "scatter",
          mode: "markers",
          name: model,
          legendgroup: model,
          showlegend: row === 0 && column === 0,
          ...grid.at(row, column),
          x: noises.map((_, i) => i + shift),
          y: drops.map((values) => finiteOrNull(mean(values))),
          error_y: {
            type: "data",
            array: drops.map((values) => finiteOrNull(standardError(values))),
            color: style.color,
            thickness: THIN_LINE_WIDTH,
            width: 2,
          },
          marker: { color: style.color, symbol: style.symbol, size: MARKER_SIZE },
        });
      }
    }
  }
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

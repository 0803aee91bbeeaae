import type { PlotlyFigure, PlotlyObject } from "./figure.js";
import { errorBand, type LinePoint, meanLine, modelLine } from "./model-line.js";
import { panelGrid, type PanelGridOptions } from "./panel-grid.js";
import { layout, millimetres, modelStyles, WIDTH } from "./style.js";
import { groupRows } from "../util/group-rows.js";

/** A point of a model's line under a noise, of one seed. */
export interface NoisePoint {
  readonly model: string;
  readonly noise: string;
  readonly schedule: string;
  /** What rows of several seeds have in common: a timestep, a threshold. */
  readonly place: number;
  readonly x: number;
  readonly y: number;
}

/**
 * A panel for each noise (across) and schedule (down), in it a line for each model: the mean over seeds in a band of
 * one standard error.
 */
export function noisePanels(
  pointsOfSeeds: readonly NoisePoint[],
  axes: Pick<PanelGridOptions, "xaxis" | "yaxis" | "xtitle">,
): PlotlyFigure {
  const noises = [...groupRows(pointsOfSeeds, ({ noise }) => noise).keys()];
  const schedules = [...groupRows(pointsOfSeeds, ({ schedule }) => schedule).keys()];
  const styles = modelStyles(pointsOfSeeds.map(({ model }) => model));
  const grid = panelGrid({ rows: schedules, columns: noises, ...axes });
  const data: PlotlyObject[] = [];
  for (const [row, schedule] of schedules.entries()) {
    for (const [column, noise] of noises.entries()) {
      const panel = grid.at(row, column);
      const first = row === 0 && column === 0;
      const here = pointsOfSeeds.filter((point) => point.noise === noise && point.schedule === schedule);
      for (const [model, style] of styles) {
        const line = lineOf(here, model);
        data.push(...errorBand(model, style, line).map((band) => ({ ...band, ...panel })));
        data.push({ ...modelLine(model, style, line), ...panel, showlegend: first });
      }
    }
  }
  return {
    data,
    layout: layout({
      width: WIDTH.double,
      height: millimetres(22 + 32 * schedules.length),
      legendEntries: styles.size,
      legendColumns: 4,
      axes: grid.axes,
    }),
  };
}

function lineOf(pointsOfSeeds: readonly NoisePoint[], model: string): LinePoint[] {
  return meanLine(
    pointsOfSeeds.filter((point) => point.model === model),
    ({ place }) => place,
    ({ x }) => x,
    ({ y }) => y,
  );
}

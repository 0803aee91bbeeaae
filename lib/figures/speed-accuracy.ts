import { mean } from "../util/statistics.js";
import { UserError } from "../util/errors.js";
import type { PlotlyFigure, PlotlyObject } from "./figure.js";
import { meanOverSpeed } from "./mean-over-speed.js";
import { errorBand, meanLine, modelLine } from "./model-line.js";
import { axis, layout, legendColumnsOf, modelStyles, shareAxis, THIN_LINE_WIDTH } from "./style.js";
import { hasColumn, tableRows } from "./table-rows.js";
import { groupRows } from "../util/group-rows.js";
import type { TableLike } from "../util/table-cells.js";

/** What speed is measured in: timesteps, multiply-adds an image, or measured milliseconds an image. */
export type SpeedColumn = "meanStoppingTime" | "meanMultiplyAdds" | "meanMilliseconds";

const SPEED: Readonly<Record<SpeedColumn, { readonly title: string; readonly unit: number }>> = {
  meanStoppingTime: { title: "Mean stopping time (timesteps)", unit: 1 },
  meanMultiplyAdds: { title: "Mean multiply-adds (millions)", unit: 1e6 },
  meanMilliseconds: { title: "Mean measured time (ms)", unit: 1 },
};

const RING_SIZE = 5;

/** Curves over one axis of speed. */
export interface SpeedAccuracyDrawing {
  /** In the order of the legend. */
  readonly models: readonly string[];
  /** Asymptotes, bands and lines, from back to front. */
  readonly data: readonly PlotlyObject[];
  readonly xaxis: PlotlyObject;
}

/**
 * Speed-accuracy curves, a line for each model: mean accuracy over seeds at equal speed (`meanOverSpeed`), in a band of one
 * standard error; broken where no threshold leads; thin dashes mark the asymptotic accuracy.
 * Table: model, threshold, accuracy, the column of speed, seed where there are several, and asymptoticAccuracy where the
 * asymptotes are wanted.
 */
export function speedAccuracyFigure(table: TableLike, speed: SpeedColumn = "meanStoppingTime"): PlotlyFigure {
  const { models, data, xaxis } = speedAccuracyDrawing(table, speed);
  const axes = { xaxis, yaxis: shareAxis("Accuracy") };
  return {
    data,
    layout: layout({ legendEntries: models.length, legendColumns: legendColumnsOf(models), axes }),
  };
}

/** What `speedAccuracyFigure` draws, without its layout. */
export function speedAccuracyDrawing(
  table: TableLike,
  speed: SpeedColumn,
  deadlines?: TableLike,
): SpeedAccuracyDrawing {
  const withAsymptotes = hasColumn(table, "asymptoticAccuracy");
  const asymptoteColumn = withAsymptotes ? (["asymptoticAccuracy"] as const) : [];
  const seedColumn = hasColumn(table, "seed") ? (["seed"] as const) : [];
  const rows = tableRows(
    "speed-accuracy",
    table,
    ["threshold", "accuracy", speed, ...asymptoteColumn, ...seedColumn],
    ["model"],
  );
  const { title, unit } = SPEED[speed];
  const models = groupRows(rows, (row) => row.model);
  const farthest = Math.max(...rows.map((row) => row[speed])) / unit;
  const lines = [...modelStyles(models.keys())].map(([model, style]) => {
    const own = models.get(model) ?? [];
    if (seedColumn.length === 0 && new Set(own.map((row) => row.threshold)).size < own.length) {
      throw new UserError(
        `the speed-accuracy figure needs a column "seed": its table has several curves of ${model}`,
      );
    }
    const line = meanOverSpeed(
      own,
      (row) => row.seed,
      (row) => ({ x: row[speed] / unit, y: row.accuracy }),
      farthest,
    );
    return { model, style, line, asymptote: mean(own.map((row) => row.asymptoticAccuracy)) };
  });
  return {
    models: lines.map(({ model }) => model),
    data: [
      ...(withAsymptotes
        ? lines.map(({ model, style, asymptote }) => asymptoteLine(model, style.color, asymptote, farthest))
        : []),
      ...lines.flatMap(({ model, style, line }) => errorBand(model, style, line)),
      ...lines.map(({ model, style, line }) => modelLine(model, style, line)),
      ...(deadlines === undefined ? [] : deadlineRings(deadlines, speed)),
    ],
    xaxis: axis(title, { range: [-0.03 * farthest, 1.03 * farthest] }),
  };
}

/** A ring for each model and timestep: what it is worth to answer every image there. */
function deadlineRings(table: TableLike, speed: SpeedColumn): PlotlyObject[] {
  const rows = tableRows("deadlines", table, ["threshold", "accuracy", speed], ["model"]);
  const models = groupRows(rows, (row) => row.model);
  return [...modelStyles(models.keys())].map(([model, style]) => {
    const line = meanLine(
      models.get(model) ?? [],
      (row) => row.threshold,
      (row) => row[speed] / SPEED[speed].unit,
      (row) => row.accuracy,
    );
    return {
      type: "scatter",
      mode: "markers",
      name: `${model}, deadline`,
      legendgroup: model,
      showlegend: false,
      x: line.map(({ x }) => x),
      y: line.map(({ y }) => y),
      marker: {
        symbol: "circle-open",
        color: style.color,
        size: RING_SIZE,
        line: { width: THIN_LINE_WIDTH },
      },
    };
  });
}

function asymptoteLine(model: string, color: string, accuracy: number, farthest: number): PlotlyObject {
  return {
    type: "scatter",
    mode: "lines",
    name: `${model}, asymptotic`,
    legendgroup: model,
    showlegend: false,
    hoverinfo: "name+y",
    x: [0, farthest],
    y: [accuracy, accuracy],
    line: { color, width: THIN_LINE_WIDTH, dash: "2px,2px" },
  };
}

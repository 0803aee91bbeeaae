import type { PlotlyFigure, PlotlyObject } from "./figure.js";
import { panelDomain } from "./panels.js";
import {
  axis,
  INK,
  layout,
  LINE_WIDTH,
  millimetres,
  OKABE_ITO,
  shareAxis,
  timestepAxis,
  WIDTH,
} from "./style.js";
import { tableRows } from "./table-rows.js";
import type { TableLike } from "../util/table-cells.js";

/** What `stoppingOverTimeFigure` draws. */
export interface DrawnStopping {
  /** A row a timestep: timestep, right, wrong (how many images stop there). */
  readonly stops: TableLike;
  /** The speed-accuracy curve: meanStoppingTime, accuracy. */
  readonly curve: TableLike;
  /** The point of the curve that the stops are of. */
  readonly now: { readonly meanStoppingTime: number; readonly accuracy: number };
}

/** How many images stop at each timestep, right and wrong, beside the speed-accuracy curve with the point that they make. */
export function stoppingOverTimeFigure({ stops, curve, now }: DrawnStopping): PlotlyFigure {
  const rows = tableRows("stopping over time", stops, ["timestep", "right", "wrong"]);
  const last = Math.max(...rows.map(({ timestep }) => timestep));
  const bars = (name: string, images: readonly number[], color: string): PlotlyObject => ({
    type: "bar",
    name,
    x: rows.map(({ timestep }) => timestep),
    y: images,
    marker: { color },
  });
  const points = tableRows("stopping over time", curve, ["meanStoppingTime", "accuracy"]);
  const right = { xaxis: "x2", yaxis: "y2" };
  return {
    data: [
      bars(
        "right",
        rows.map((row) => row.right),
        OKABE_ITO.green,
      ),
      bars(
        "wrong",
        rows.map((row) => row.wrong),
        OKABE_ITO.vermillion,
      ),
      {
        type: "scatter",
        mode: "lines",
        showlegend: false,
        x: points.map(({ meanStoppingTime }) => meanStoppingTime),
        y: points.map(({ accuracy }) => accuracy),
        line: { color: INK, width: LINE_WIDTH },
        ...right,
      },
      {
        type: "scatter",
        mode: "markers",
        showlegend: false,
        x: [now.meanStoppingTime],
        y: [now.accuracy],
        marker: { color: INK, size: 8 },
        ...right,
      },
    ],
    layout: {
      ...layout({
        width: WIDTH.double,
        height: millimetres(64),
        legendEntries: 2,
        legendColumns: 4,
        axes: {
          xaxis: {
            ...timestepAxis(last, "Timestep at which the image stops"),
            domain: panelDomain(0, 2, 0.14),
            range: [-0.6, last + 0.6],
          },
          yaxis: axis("Images", { showgrid: true }),
          xaxis2: {
            ...timestepAxis(last, "Mean stopping time (timesteps)"),
            domain: panelDomain(1, 2, 0.14),
            anchor: "y2",
          },
          yaxis2: shareAxis("Accuracy", { anchor: "x2", range: [0, 1.02] }),
        },
      }),
      barmode: "stack",
    },
  };
}

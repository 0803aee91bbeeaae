import type { PlotlyFigure, PlotlyObject } from "./figure.js";
import { speedAccuracyDrawing, type SpeedColumn } from "./speed-accuracy.js";
import { INK, layout, millimetres, points, shareAxis, WIDTH } from "./style.js";
import type { TableLike } from "../util/table-cells.js";

const GAP = 0.035;
const LEGEND_COLUMNS = 3;

/**
 * The same speed-accuracy curves over several axes of speed, side by side over two columns of print, with one axis of
 * accuracy and one legend: cascaded models above, serial ones below. Table: as of `speedAccuracyFigure`, with every
 * column of speed that is asked for; `deadlines` likewise, drawn as rings.
 */
export function speedAccuracyPanels(
  table: TableLike,
  speeds: readonly SpeedColumn[],
  deadlines?: TableLike,
): PlotlyFigure {
  const drawings = speeds.map((speed) => speedAccuracyDrawing(table, speed, deadlines));
  const panelWidth = (1 - GAP * (drawings.length - 1)) / drawings.length;
  const axes: Record<string, PlotlyObject> = {};
  const letters: PlotlyObject[] = [];
  const data = drawings.flatMap((drawing, i) => {
    const number = i === 0 ? "" : String(i + 1);
    const start = i * (panelWidth + GAP);
    axes[`xaxis${number}`] = {
      ...drawing.xaxis,
      domain: [start, start + panelWidth],
      anchor: `y${number}`,
    };
    axes[`yaxis${number}`] = shareAxis(i === 0 ? "Accuracy" : "", {
      anchor: `x${number}`,
      showticklabels: i === 0,
      ...(i > 0 && { matches: "y" }),
    });
    letters.push(panelLetter(i, start + panelWidth));
    return drawing.data.map((trace) => ({
      ...trace,
      xaxis: `x${number}`,
      yaxis: `y${number}`,
      ...(i > 0 && { showlegend: false }),
      legendrank: legendRank(drawing.models, String(trace["legendgroup"])),
    }));
  });
  return {
    data,
    layout: layout({
      width: WIDTH.double,
      height: millimetres(66),
      legendEntries: drawings[0]?.models.length ?? 0,
      legendColumns: LEGEND_COLUMNS,
      axes: { ...axes, annotations: letters },
    }),
  };
}

function legendRank(models: readonly string[], model: string): number {
  return models.indexOf(model) + (/\bCascaded/.test(model) ? 0 : models.length) + 1;
}

/** In the corner that curves which rise to the right leave free. */
function panelLetter(i: number, end: number): PlotlyObject {
  return {
    text: `<b>${String.fromCharCode("a".charCodeAt(0) + i)}</b>`,
    font: { size: points(9), color: INK },
    xref: "paper",
    x: end,
    xanchor: "right",
    xshift: -4,
    yref: "paper",
    y: 0,
    yanchor: "bottom",
    yshift: 4,
    showarrow: false,
  };
}

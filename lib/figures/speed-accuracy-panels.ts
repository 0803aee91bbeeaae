import type { PlotlyFigure, PlotlyObject } from "./figure.js";
import { axisNumber, panelDomain, panelTitle } from "./panels.js";
import { speedAccuracyDrawing, type SpeedColumn } from "./speed-accuracy.js";
import { INK, layout, millimetres, points, shareAxis, WIDTH } from "./style.js";
import type { TableLike } from "../util/table-cells.js";

const GAP = 0.035;
const GAP_OF_OWN_AXES = 0.07;
/** Of the height, above the panels. */
const TITLE_SHARE = 0.06;
const LEGEND_COLUMNS = 3;

interface SpeedPanel {
  /** Above it; none if left out. */
  readonly title?: string;
  readonly table: TableLike;
  readonly speed: SpeedColumn;
  readonly deadlines?: TableLike | undefined;
}

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
  return panelsFigure(
    speeds.map((speed) => ({ table, speed, deadlines })),
    "shared",
  );
}

/**
 * Speed-accuracy curves over timesteps on several data sets, side by side, each with its own axis of accuracy: how hard the
 * images are differs. Tables: as of `speedAccuracyPanels`.
 */
export function speedAccuracyOfDataSets(
  panels: readonly Omit<SpeedPanel & { readonly title: string }, "speed">[],
): PlotlyFigure {
  return panelsFigure(
    panels.map((panel) => ({ ...panel, speed: "meanStoppingTime" })),
    "own",
  );
}

function panelsFigure(panels: readonly SpeedPanel[], accuracy: "shared" | "own"): PlotlyFigure {
  const drawings = panels.map(({ table, speed, deadlines }) => speedAccuracyDrawing(table, speed, deadlines));
  const gap = accuracy === "shared" ? GAP : GAP_OF_OWN_AXES;
  const isTitled = panels.some(({ title }) => title !== undefined);
  const top = isTitled ? 1 - TITLE_SHARE : 1;
  const axes: Record<string, PlotlyObject> = {};
  const annotations: PlotlyObject[] = [];
  const data = drawings.flatMap((drawing, i) => {
    const number = axisNumber(i);
    const domain = panelDomain(i, drawings.length, gap);
    axes[`xaxis${number}`] = { ...drawing.xaxis, domain, anchor: `y${number}` };
    axes[`yaxis${number}`] = shareAxis(i === 0 ? "Accuracy" : "", {
      anchor: `x${number}`,
      ...(isTitled && { domain: [0, top] }),
      ...(accuracy === "shared" && { showticklabels: i === 0, ...(i > 0 && { matches: "y" }) }),
    });
    annotations.push(panelLetter(i, domain[1]));
    const { title } = panels[i] as SpeedPanel;
    if (title !== undefined) annotations.push(panelTitle(title, domain, top));
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
      height: millimetres(isTitled ? 72 : 66),
      legendEntries: drawings[0]?.models.length ?? 0,
      legendColumns: LEGEND_COLUMNS,
      axes: { ...axes, annotations },
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

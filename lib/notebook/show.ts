import { renderSvg } from "../figures/draw.js";
import type { PlotlyFigure } from "../figures/figure.js";
import { UserError } from "../util/errors.js";
import { emitDisplay, type DisplayBundle } from "./emit-display.js";

/**
 * Shows a figure below the cell: interactive in JupyterLab, as SVG in viewers that run no scripts. Call it with
 * `await`. Without a browser to draw the SVG it says so on standard error, and the figure is interactive only.
 */
export async function show(figure: PlotlyFigure): Promise<void> {
  const svg = await drawStatic(figure);
  emitDisplay(figureBundle(figure, svg));
}

/** The two forms of a figure as one output. */
export function figureBundle({ data, layout }: PlotlyFigure, svg: string | undefined): DisplayBundle {
  return {
    "application/vnd.plotly.v1+json": { data, layout, config: { displaylogo: false } },
    ...(svg === undefined ? {} : { "image/svg+xml": svg }),
  };
}

async function drawStatic(figure: PlotlyFigure): Promise<string | undefined> {
  try {
    return await renderSvg(figure);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    process.stderr.write(`no static form of this figure: ${error.message}\n`);
    return undefined;
  }
}

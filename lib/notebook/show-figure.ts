import { warnOnStandardError } from "../util/warn.js";
import { renderSvg } from "../figures/draw.js";
import { enlarged } from "../figures/enlarged.js";
import { type FigureLike, plainFigure, type PlotlyFigure } from "../figures/figure.js";
import { isForPrint } from "../figures/style.js";
import { UserError } from "../util/errors.js";
import { emitDisplay, type DisplayBundle } from "./emit-display.js";

/**
 * Shows a figure below the cell: interactive in JupyterLab, as SVG in viewers that run no scripts. Call it with
 * `await`. Without a browser to draw the SVG it says so on standard error, and the figure is interactive only.
 */
export async function showFigure(figure: FigureLike): Promise<void> {
  const onScreen = screenFigure(figure);
  const svg = await drawStatic(onScreen);
  emitDisplay(figureBundle(onScreen, svg));
}

/**
 * How much larger than in print: letters of 7 points have 12 pixels then, and two columns of print fit into the column of
 * a notebook on a screen 1,280 pixels wide, with the list of files beside it.
 */
const SCREEN = 1.28;

/** The figure as a screen shows it: the project's figures, which are made for print, larger, those of others as they are. */
function screenFigure(figure: FigureLike): PlotlyFigure {
  const plain = plainFigure(figure);
  return isForPrint(plain.layout) ? enlarged(plain, SCREEN) : plain;
}

/** The two forms of a figure as one output. */
function figureBundle({ data, layout }: PlotlyFigure, svg: string | undefined): DisplayBundle {
  return {
    "application/vnd.plotly.v1+json": {
      data,
      layout: withToolbarRoom(layout),
      config: { displaylogo: false },
    },
    ...(svg === undefined ? {} : { "image/svg+xml": svg }),
  };
}

/** Pixels that Plotly's toolbar takes above an interactive figure. */
const TOOLBAR_HEIGHT = 28;

/** The layout with so much more room at its top that the toolbar covers neither legend nor data. */
function withToolbarRoom(layout: PlotlyFigure["layout"]): PlotlyFigure["layout"] {
  const { height, margin } = layout;
  if (typeof height !== "number") return layout;
  const top =
    typeof margin === "object" && margin !== null && "t" in margin ? Number(margin.t) : PLOTLY_TOP_MARGIN;
  return {
    ...layout,
    height: height + TOOLBAR_HEIGHT,
    margin: { ...(margin ?? {}), t: top + TOOLBAR_HEIGHT },
  };
}

/** What Plotly takes where a layout does not say. */
const PLOTLY_TOP_MARGIN = 100;

async function drawStatic(figure: FigureLike): Promise<string | undefined> {
  try {
    return await renderSvg(figure);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    warnOnStandardError(`no static form of this figure: ${error.message}`);
    return undefined;
  }
}

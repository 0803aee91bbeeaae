import type { PlotlyFigure, PlotlyObject } from "./figure.js";
import { INK, layout, points, WIDTH } from "./style.js";

/** A picture, as a data URI, with what stands below it; "<br>" begins a new line. */
export interface CaptionedImage {
  readonly source: string;
  readonly caption: string;
}

/** Rows of pictures that belong together, under a title at their left. */
export interface ImageGroup {
  readonly title: string;
  readonly rows: readonly (readonly CaptionedImage[])[];
}

export interface ImageGridOptions {
  /** Titles above the columns; "<br>" begins a new line. */
  readonly columns?: readonly string[];
  /** Side of a picture in pixels; as wide as two columns of print allow unless told, 72 at most. */
  readonly side?: number;
}

const GAP = 8;
const LINE = points(8);
const LARGEST_SIDE = 72;
const MARGIN = { l: 26, r: 6, b: 4, pad: 0 };

/** Pictures in rows and columns, each with its caption below; the groups of rows stand apart. */
export function imageGrid(groups: readonly ImageGroup[], options: ImageGridOptions = {}): PlotlyFigure {
  const { columns = [] } = options;
  const rows = groups.flatMap((group) => group.rows);
  const across = Math.max(...rows.map((row) => row.length));
  const widest = Math.floor((WIDTH.double - MARGIN.l - MARGIN.r) / across) - GAP;
  const side = options.side ?? Math.min(widest, LARGEST_SIDE);
  const step = side + GAP;
  const rowHeight = side + linesOf(rows.flat().map(({ caption }) => caption)) * LINE + GAP;
  const top = 4 + linesOf(columns) * LINE;
  const width = across * step;
  const height = rows.length * rowHeight + (groups.length - 1) * GAP;
  // Places are in pixels from the left and from the top of the drawing.
  const x = (pixels: number): PlotlyObject => ({ xref: "paper", x: pixels / width });
  const y = (pixels: number): PlotlyObject => ({ yref: "paper", y: 1 - pixels / height });
  const text = (words: string, more: PlotlyObject): PlotlyObject => ({
    text: words,
    font: { size: points(6.5), color: INK },
    showarrow: false,
    ...more,
  });
  const images: PlotlyObject[] = [];
  const annotations = columns.map((title, c) =>
    text(title, { ...x(c * step + side / 2), xanchor: "center", ...y(0), yanchor: "bottom" }),
  );
  let from = 0;
  for (const group of groups) {
    const middle = from + (group.rows.length * rowHeight) / 2;
    const turned = { textangle: -90, xanchor: "right", yanchor: "middle" };
    annotations.push(text(group.title, { ...x(0), ...y(middle), ...turned, font: { size: points(8) } }));
    group.rows.forEach((row, r) => {
      const above = from + r * rowHeight;
      row.forEach(({ source, caption }, c) => {
        const size = { sizex: side / width, sizey: side / height, sizing: "stretch" };
        images.push({ source, ...x(c * step), ...y(above), ...size, xanchor: "left", yanchor: "top" });
        const place = { ...x(c * step + side / 2), ...y(above + side), xanchor: "center", yanchor: "top" };
        annotations.push(text(caption, place));
      });
    });
    from += group.rows.length * rowHeight + GAP;
  }
  const hidden = { visible: false, fixedrange: true };
  const margin = { ...MARGIN, t: top };
  const base = layout({ axes: { xaxis: hidden, yaxis: hidden, images, annotations } });
  return {
    data: [],
    layout: {
      ...base,
      width: width + margin.l + margin.r,
      height: height + margin.t + margin.b,
      margin,
    },
  };
}

/** Lines of the longest text. */
function linesOf(texts: readonly string[]): number {
  return Math.max(0, ...texts.map((text) => text.split("<br>").length));
}

import { visibleLines, visibleText } from "../util/visible-text.js";

/** A Plotly figure as plain JSON: what it draws and how it is laid out. */
export interface PlotlyFigure {
  readonly data: readonly PlotlyObject[];
  readonly layout: PlotlyObject;
  /** What is shown and exported where nothing can be moved, where that is another drawing, as of one with a slider. */
  readonly still?: PlotlyFigure;
}

/** A figure as Plotly takes it: the layout can be left out. */
export interface FigureLike {
  readonly data: readonly PlotlyObject[];
  readonly layout?: PlotlyObject;
  readonly still?: PlotlyFigure;
}

export type PlotlyObject = Readonly<Record<string, unknown>>;

/**
 * The figure as JSON says it: typed arrays, which JSON would write as objects, become lists. Of Plotly's markup the
 * texts keep bare tags such as <b> alone: names may come from anywhere, and its links and styles lead out of a figure.
 */
export function plainFigure({ data, layout = {} }: FigureLike): PlotlyFigure {
  return JSON.parse(JSON.stringify({ data, layout }, plain)) as PlotlyFigure;
}

/** A text of others, such as a class name, as Plotly shows it letter by letter. */
export function plotText(text: string): string {
  return visibleText(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

const MARKUP = /<(?!\/?(?:b|i|em|br|sup|sub|extra)\s*\/?>)/g;

function plain(_key: string, value: unknown): unknown {
  if (typeof value === "string") return visibleLines(value).replace(MARKUP, "&lt;");
  if (typeof value === "bigint") return Number(value);
  if (!ArrayBuffer.isView(value) || value instanceof DataView) return value;
  return Array.from(value as Float64Array);
}

/** A Plotly figure as plain JSON: what it draws and how it is laid out. */
export interface PlotlyFigure {
  readonly data: readonly PlotlyObject[];
  readonly layout: PlotlyObject;
}

/** A figure as Plotly takes it: the layout can be left out. */
export interface FigureLike {
  readonly data: readonly PlotlyObject[];
  readonly layout?: PlotlyObject;
}

export type PlotlyObject = Readonly<Record<string, unknown>>;

/** The figure as JSON says it: typed arrays, which JSON would write as objects, become lists. */
export function plainFigure({ data, layout = {} }: FigureLike): PlotlyFigure {
  return JSON.parse(JSON.stringify({ data, layout }, withLists)) as PlotlyFigure;
}

function withLists(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (!ArrayBuffer.isView(value) || value instanceof DataView) return value;
  return Array.from(value as Float64Array);
}

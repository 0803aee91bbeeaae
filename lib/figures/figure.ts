/** A Plotly figure as plain JSON: what it draws and how it is laid out. */
export interface PlotlyFigure {
  readonly data: readonly PlotlyObject[];
  readonly layout: PlotlyObject;
}

export type PlotlyObject = Readonly<Record<string, unknown>>;

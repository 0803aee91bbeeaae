import { UserError } from "../util/errors.js";
import type { PlotlyFigure, PlotlyObject } from "./figure.js";

/** Plotly's types that draw with WebGL, and that another type draws as vectors. */
const VECTOR_TYPES: Readonly<Record<string, string>> = {
  scattergl: "scatter",
  scatterpolargl: "scatterpolar",
};

/** Those that nothing else draws: in three dimensions, on maps, and for very many lines. */
const WEBGL_ONLY =
  /^(?:scatter3d|surface|mesh3d|isosurface|volume|cone|streamtube|parcoords|splom|(?:scatter|density|choropleth)(?:map|mapbox))$/;

/**
 * The figure with types that vectors can hold: a browser without WebGL would leave the points of the others out
 * without a word. Throws a UserError for a type that has no such form.
 */
export function vectorForm(figure: PlotlyFigure): PlotlyFigure {
  return { ...figure, data: figure.data.map(vectorTrace) };
}

function vectorTrace(trace: PlotlyObject): PlotlyObject {
  const { type } = trace;
  if (typeof type !== "string") return trace;
  if (WEBGL_ONLY.test(type))
    throw new UserError(
      `a trace of type "${type}" has no form as vector graphics, for it is drawn with WebGL: show it in a notebook, or draw the data in another type`,
    );
  const vector = VECTOR_TYPES[type];
  return vector === undefined ? trace : { ...trace, type: vector };
}

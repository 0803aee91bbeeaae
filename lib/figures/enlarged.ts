import type { PlotlyFigure } from "./figure.js";

/** What Plotly counts in pixels wherever it stands, but for the width of a trace's bars, which is one of its data. */
const LENGTHS: ReadonlySet<string> = new Set([
  ...["width", "height", "size", "thickness", "standoff", "entrywidth", "tracegroupgap"],
  ...["linewidth", "gridwidth", "zerolinewidth", "outlinewidth", "ticklen", "tickwidth"],
  ...["xgap", "ygap", "xpad", "ypad", "xshift", "yshift"],
]);

/** The figure with everything that is counted in pixels `factor` times as large: the same picture, seen from nearer. */
export function enlarged({ data, layout }: PlotlyFigure, factor: number): PlotlyFigure {
  const trace = (one: PlotlyFigure["data"][number]): PlotlyFigure["data"][number] => {
    const larger = scaled(one, factor);
    return "width" in one ? { ...larger, width: one["width"] } : larger;
  };
  return { data: data.map(trace), layout: scaled(layout, factor) };
}

function scaled<T>(value: T, factor: number, key?: string): T;
function scaled(value: unknown, factor: number, key = ""): unknown {
  if (key === "dash") return scaledDash(String(value), factor);
  if (key === "margin") return scaledMargin(value as object, factor);
  if (typeof value === "number") return LENGTHS.has(key) ? value * factor : value;
  if (Array.isArray(value)) return value.map((item) => scaled(item as unknown, factor, key));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, scaled(item as unknown, factor, name)]),
  );
}

const scaledMargin = (margin: object, factor: number): object =>
  Object.fromEntries(Object.entries(margin).map(([side, length]) => [side, factor * Number(length)]));

/** "5px,2px", or a name such as "solid", which stays. */
const scaledDash = (dash: string, factor: number): string =>
  dash.replaceAll(/[\d.]+(?=px)/g, (length) => String(Number(length) * factor));

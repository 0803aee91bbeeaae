import { mean, standardError } from "../util/statistics.js";
import type { PlotlyObject } from "./figure.js";
import { LINE_WIDTH, MARKER_SIZE, translucent, type ModelStyle } from "./style.js";
import { finiteOrNull } from "./table-rows.js";
import { groupRows } from "../util/group-rows.js";

/** A point of a line: the mean over the rows (seeds) that share a place on it, and their standard error. */
export interface LinePoint {
  readonly x: number;
  readonly y: number;
  /** NaN where a single row gives no error. */
  readonly standardError: number;
}

/** Means of x and y over the rows of equal `place` (timestep, threshold, epoch), ordered by place. */
export function meanLine<R>(
  rows: readonly R[],
  place: (row: R) => number,
  x: (row: R) => number,
  y: (row: R) => number,
): LinePoint[] {
  return [...groupRows(rows, place)]
    .sort(([a], [b]) => a - b)
    .map(([, group]) => ({
      x: mean(group.map(x)),
      y: mean(group.map(y)),
      standardError: standardError(group.map(y)),
    }));
}

const MOST_MARKERS = 12;

/** Line with the model's colour, dash and markers; markers thin out along a line of many points. */
export function modelLine(name: string, style: ModelStyle, line: readonly LinePoint[]): PlotlyObject {
  return {
    type: "scatter",
    mode: "lines+markers",
    name,
    legendgroup: name,
    x: line.map((point) => finiteOrNull(point.x)),
    y: line.map((point) => finiteOrNull(point.y)),
    line: { color: style.color, dash: style.dash, width: LINE_WIDTH },
    marker: {
      color: style.color,
      symbol: style.symbol,
      size: MARKER_SIZE,
      ...(line.length > 2 * MOST_MARKERS && { maxdisplayed: MOST_MARKERS }),
    },
  };
}

/** Band of one standard error on both sides of each part of a line that has errors; nothing where no part has. */
export function errorBand(name: string, style: ModelStyle, line: readonly LinePoint[]): PlotlyObject[] {
  const outlines = partsWithErrors(line)
    .filter((part) => part.length > 1)
    .map(outline);
  if (outlines.length === 0) return [];
  // Nothing between two outlines keeps them apart.
  const points = outlines.flatMap((part, i) => (i === 0 ? part : [{ x: null, y: null }, ...part]));
  return [
    {
      type: "scatter",
      mode: "lines",
      name: `${name} ± standard error`,
      legendgroup: name,
      showlegend: false,
      hoverinfo: "skip",
      x: points.map(({ x }) => x),
      y: points.map(({ y }) => y),
      line: { width: 0, color: style.color },
      fill: "toself",
      fillcolor: translucent(style.color, 0.2),
    },
  ];
}

/** The longest parts of a line all of whose points have an error. */
function partsWithErrors(line: readonly LinePoint[]): LinePoint[][] {
  const parts: LinePoint[][] = [[]];
  for (const point of line) {
    if (Number.isFinite(point.standardError)) parts.at(-1)?.push(point);
    else parts.push([]);
  }
  return parts;
}

/** There along the upper side, back along the lower one. */
function outline(part: readonly LinePoint[]): { readonly x: number; readonly y: number }[] {
  return [
    ...part.map(({ x, y, standardError: error }) => ({ x, y: y + error })),
    ...[...part].reverse().map(({ x, y, standardError: error }) => ({ x, y: y - error })),
  ];
}

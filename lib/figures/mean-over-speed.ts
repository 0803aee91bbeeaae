import { groupRows } from "../util/group-rows.js";
import { type Corner, heightAt, segmentAt } from "../util/piecewise-line.js";
import { mean, standardError } from "../util/statistics.js";
import type { LinePoint } from "./model-line.js";

const GRID_POINTS = 81;
/** Of the range of x: levels of a rule that lie farther apart are not joined, since no level of it leads in between. */
const WIDEST_GAP = 0.2;

/**
 * Speed-accuracy curves of one model, a seed each, as one line: the mean accuracy at equal speed, on a grid from where all
 * have answered to where the slowest ends, each curve joined by straight lines and held where it has ended. (A mean at equal
 * threshold would be at a speed that no network has.) Of a single curve the line has its own points. NaN, a gap in
 * the line, where the neighbours of a curve lie farther apart than a fifth of `range`.
 */
export function meanOverSpeed<R>(
  rows: readonly R[],
  curveOf: (row: R) => unknown,
  pointOf: (row: R) => Corner,
  range: number,
): LinePoint[] {
  const curves = [...groupRows(rows, curveOf).values()].map((own) =>
    own.map(pointOf).sort((a, b) => a.x - b.x || a.y - b.y),
  );
  const widest = WIDEST_GAP * range;
  const only = curves.length === 1 ? curves[0] : undefined;
  if (only !== undefined) return withGaps(only, widest);
  const first = Math.max(...curves.map((curve) => curve[0]?.x ?? NaN));
  const last = Math.max(...curves.map((curve) => curve.at(-1)?.x ?? NaN));
  return Array.from({ length: GRID_POINTS }, (_, i) => {
    const x = first + ((last - first) * i) / (GRID_POINTS - 1);
    const values = curves.map((curve) => valueAt(curve, x, widest));
    return { x, y: mean(values), standardError: standardError(values) };
  });
}

function valueAt(curve: readonly Corner[], x: number, widest: number): number {
  const segment = segmentAt(curve, x);
  if (segment === undefined) return NaN;
  const { left, right } = segment;
  return x > left.x && right.x - left.x > widest ? NaN : heightAt(left, right, x);
}

function withGaps(curve: readonly Corner[], widest: number): LinePoint[] {
  return curve.flatMap(({ x, y }, i) => {
    const before = curve[i - 1]?.x ?? x;
    const gap = x - before > widest ? [{ x: (x + before) / 2, y: NaN, standardError: NaN }] : [];
    return [...gap, { x, y, standardError: NaN }];
  });
}

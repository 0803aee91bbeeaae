import { UserError } from "../util/errors.js";
import type { SpeedAccuracyPoint } from "./speed-accuracy-curve.js";

/**
 * Area under accuracy over time by the trapezoid rule, divided by T - 1, so that it reads as a mean accuracy:
 *
 *     1/(T-1) Σ_{t=1}^{T-1} (accuracy[t-1] + accuracy[t]) / 2
 *
 * With one timestep it is that timestep's accuracy.
 */
export function areaUnderAccuracy(accuracy: ArrayLike<number>): number {
  if (accuracy.length === 1) return accuracy[0] as number;
  let area = 0;
  for (let t = 1; t < accuracy.length; t++)
    area += ((accuracy[t - 1] as number) + (accuracy[t] as number)) / 2;
  return area / (accuracy.length - 1);
}

/** What a speed-accuracy curve is drawn over: timesteps, multiply-adds or measured milliseconds. */
export type SpeedAxis = "meanStoppingTime" | "meanMultiplyAdds" | "meanMilliseconds";

export interface SpeedRange {
  readonly from: number;
  readonly to: number;
}

/** The range of speed that all curves reach; a UserError if they share none. */
export function commonRange(
  curves: readonly (readonly SpeedAccuracyPoint[])[],
  axis: SpeedAxis = "meanStoppingTime",
): SpeedRange {
  const speeds = curves.map((curve) => curve.map((point) => speedOf(point, axis)));
  const start = Math.max(...speeds.map((values) => Math.min(...values)));
  const end = Math.min(...speeds.map((values) => Math.max(...values)));
  if (!(end > start)) throw new UserError(`the speed-accuracy curves share no range of ${axis}`);
  return { from: start, to: end };
}

/**
 * Area under a speed-accuracy curve, joined by straight lines, over a range that it reaches, divided by its
 * length: the mean accuracy over the speeds x,
 *
 *     1/(to - from) ∫_from^to accuracy(x) dx
 *
 * Curves are compared over their `commonRange`. Throws a UserError for a range that the curve does not reach.
 */
export function areaUnderSpeedAccuracy(
  curve: readonly SpeedAccuracyPoint[],
  range: SpeedRange,
  axis: SpeedAxis = "meanStoppingTime",
): number {
  const points = curve
    .map((point) => ({ x: speedOf(point, axis), y: point.accuracy }))
    .sort((a, b) => a.x - b.x);
  const first = points[0]?.x ?? NaN;
  const last = points.at(-1)?.x ?? NaN;
  if (!(range.from >= first && range.to <= last && range.to > range.from)) {
    throw new UserError(
      `the area from ${range.from} to ${range.to} was asked of a speed-accuracy curve that reaches from ${first} to ${last}`,
    );
  }
  let area = 0;
  let left = points[0];
  for (const right of points.slice(1)) {
    if (left && right.x > left.x) area += segmentArea(left, right, range);
    left = right;
  }
  return area / (range.to - range.from);
}

interface Point {
  readonly x: number;
  readonly y: number;
}

function segmentArea(left: Point, right: Point, range: SpeedRange): number {
  const start = Math.max(left.x, range.from);
  const end = Math.min(right.x, range.to);
  if (end <= start) return 0;
  const slope = (right.y - left.y) / (right.x - left.x);
  return (end - start) * (left.y + slope * ((start + end) / 2 - left.x));
}

function speedOf(point: SpeedAccuracyPoint, axis: SpeedAxis): number {
  const speed = point[axis];
  if (speed === undefined)
    throw new UserError(`the speed-accuracy curve has no ${axis}: its trace has no such cost`);
  return speed;
}

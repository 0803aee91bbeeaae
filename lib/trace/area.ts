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

/**
 * The range of speed over which curves are compared: from where all have answered to where the slowest one ends. An
 * answer stays once it is given, so a curve that ends sooner is held at the accuracy of its slowest point. Throws a
 * UserError if no curve takes longer than the slowest first answer.
 */
export function commonRange(
  curves: readonly (readonly SpeedAccuracyPoint[])[],
  axis: SpeedAxis = "meanStoppingTime",
): SpeedRange {
  const speeds = curves.map((curve) => curve.map((point) => speedOf(point, axis)));
  const start = Math.max(...speeds.map((values) => Math.min(...values)));
  const end = Math.max(...speeds.map((values) => Math.max(...values)));
  if (!(end > start)) throw new UserError(`the speed-accuracy curves have no range of ${axis} to compare`);
  return { from: start, to: end };
}

/**
 * Area under a speed-accuracy curve, joined by straight lines and held beyond its slowest point, divided by the
 * length of the range: the mean accuracy over the speeds x,
 *
 *     1/(to - from) ∫_from^to accuracy(x) dx
 *
 * Curves are compared over their `commonRange`. Throws a UserError for a range that begins before the curve does.
 */
export function areaUnderSpeedAccuracy(
  curve: readonly SpeedAccuracyPoint[],
  range: SpeedRange,
  axis: SpeedAxis = "meanStoppingTime",
): number {
  const points = curve
    .map((point) => ({ x: speedOf(point, axis), y: point.accuracy }))
    .sort((a, b) => a.x - b.x);
  const first = points[0];
  const last = points.at(-1);
  if (!first || !last || !(range.from >= first.x && range.to > range.from)) {
    throw new UserError(
      `the area from ${range.from} to ${range.to} was asked of a speed-accuracy curve that begins at ${first?.x ?? NaN}`,
    );
  }
  let area = 0;
  let left = first;
  for (const right of [...points.slice(1), { x: Math.max(last.x, range.to), y: last.y }]) {
    if (right.x > left.x) area += segmentArea(left, right, range);
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

import { UserError } from "../util/errors.js";
import type { SpeedAccuracyPoint } from "./speed-accuracy-curve.js";

/**
 * Accuracy of a speed-accuracy curve at a mean stopping time between its points, on the straight line that joins
 * its neighbours (what a draw between the two levels would reach), and held beyond its slowest point.
 *
 * Throws a UserError for a mean stopping time before the curve's first.
 */
export function accuracyAtSpeed(curve: readonly SpeedAccuracyPoint[], meanStoppingTime: number): number {
  const points = [...curve].sort((a, b) => a.meanStoppingTime - b.meanStoppingTime);
  const left = points.findLast((point) => point.meanStoppingTime <= meanStoppingTime);
  if (left === undefined) {
    throw new UserError(`a speed-accuracy curve begins after a mean stopping time of ${meanStoppingTime}`);
  }
  const right = points.find((point) => point.meanStoppingTime > meanStoppingTime) ?? left;
  const length = right.meanStoppingTime - left.meanStoppingTime;
  const share = length === 0 ? 1 : (meanStoppingTime - left.meanStoppingTime) / length;
  return left.accuracy + share * (right.accuracy - left.accuracy);
}

import { UserError } from "../util/errors.js";
import type { SpeedAccuracyPoint } from "./speed-accuracy-curve.js";

/**
 * Accuracy of a speed-accuracy curve at a mean stopping time between its points, on the straight line that joins
 * its neighbours (what a draw between the two levels would reach).
 *
 * Throws a UserError for a mean stopping time that the curve does not reach.
 */
export function accuracyAtSpeed(curve: readonly SpeedAccuracyPoint[], meanStoppingTime: number): number {
  const points = [...curve].sort((a, b) => a.meanStoppingTime - b.meanStoppingTime);
  const after = points.findIndex((point) => point.meanStoppingTime >= meanStoppingTime);
  const right = points[after];
  const left = points[Math.max(0, after - 1)];
  if (left === undefined || right === undefined || left.meanStoppingTime > meanStoppingTime) {
    throw new UserError(`a speed-accuracy curve does not reach a mean stopping time of ${meanStoppingTime}`);
  }
  const length = right.meanStoppingTime - left.meanStoppingTime;
  const share = length === 0 ? 1 : (meanStoppingTime - left.meanStoppingTime) / length;
  return left.accuracy + share * (right.accuracy - left.accuracy);
}

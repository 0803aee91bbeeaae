import { UserError } from "../util/errors.js";
import { heightAt, segmentAt } from "../util/piecewise-line.js";
import type { SpeedAccuracyPoint } from "./speed-accuracy-curve.js";

/**
 * Accuracy of a speed-accuracy curve at a mean stopping time between its points, on the straight line that joins
 * its neighbours (what a draw between the two levels would reach), and held beyond its slowest point.
 *
 * Throws a UserError for a mean stopping time before the curve's first.
 */
export function accuracyAtSpeed(curve: readonly SpeedAccuracyPoint[], meanStoppingTime: number): number {
  const corners = curve.map(({ meanStoppingTime: x, accuracy: y }) => ({ x, y })).sort((a, b) => a.x - b.x);
  const segment = segmentAt(corners, meanStoppingTime);
  if (segment === undefined) {
    throw new UserError(`a speed-accuracy curve begins after a mean stopping time of ${meanStoppingTime}`);
  }
  return heightAt(segment.left, segment.right, meanStoppingTime);
}

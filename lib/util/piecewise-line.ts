/** A corner of a line that is straight in between. */
export interface Corner {
  readonly x: number;
  readonly y: number;
}

/**
 * The corners on both sides of x, of a line whose corners ascend in x; at and beyond its last one that corner twice.
 * Undefined before the first.
 */
export function segmentAt(
  corners: readonly Corner[],
  x: number,
): { readonly left: Corner; readonly right: Corner } | undefined {
  const left = corners.findLast((corner) => corner.x <= x);
  if (left === undefined) return undefined;
  return { left, right: corners.find((corner) => corner.x > x) ?? left };
}

/** The height at x of the straight line between two corners; that of `left` where they are one. */
export function heightAt(left: Corner, right: Corner, x: number): number {
  const length = right.x - left.x;
  return length === 0 ? left.y : left.y + ((x - left.x) / length) * (right.y - left.y);
}

import { UserError } from "./errors.js";

/**
 * The last axis of values laid out row-major over the given leading axes, such as the classes of `[T, B, K]` from
 * `{ timesteps: T, examples: B }`. A UserError where an axis is no whole number from 1, or the values do not divide.
 */
export function lastAxis(length: number, leading: Readonly<Record<string, number>>): number {
  const rows = Object.values(leading).reduce((product, axis) => product * axis, 1);
  const isWhole = Object.values(leading).every((axis) => Number.isSafeInteger(axis) && axis > 0);
  if (isWhole && length > 0 && length % rows === 0) return length / rows;
  const axes = Object.entries(leading).map(([name, axis]) => `${axis} ${name}`);
  throw new UserError(`${length} values cannot be shared out evenly to ${axes.join(" x ")}`);
}

/** Throws a UserError that names the first label which is not one of 0 .. classes - 1. */
export function assertLabels(labels: ArrayLike<number>, classes: number): void {
  for (let n = 0; n < labels.length; n++) {
    const label = labels[n] as number;
    if (Number.isInteger(label) && label >= 0 && label < classes) continue;
    throw new UserError(`label ${n} is ${label}, outside 0 .. ${classes - 1}`);
  }
}

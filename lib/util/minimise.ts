/** A point's value and the slope there. */
export interface Slope {
  readonly value: number;
  readonly gradient: Float64Array;
}

/** The descent ends where its steps, divided by their length, are as small as this, or after so many. */
const TOLERANCE = 1e-6;
const MOST_STEPS = 2000;

/**
 * Where a convex function has its minimum, among the points that `project` gives: accelerated projected gradient descent (Beck and
 * Teboulle, "A fast iterative shrinkage-thresholding algorithm", 2009). The step is halved until a parabola through the point lies above; the
 * momentum is let go where it leads uphill (O'Donoghue and Candès 2015). x [D] -> x [D].
 */
export function minimise(
  slopeAt: (x: Float64Array) => Slope,
  start: Float64Array,
  project: (x: Float64Array) => Float64Array = (x) => x,
): Float64Array {
  let x = start;
  let y = start;
  let momentum = 1;
  let step = 1;
  for (let i = 0; i < MOST_STEPS; i++) {
    const { value, gradient } = slopeAt(y);
    const stepped = (): Float64Array => project(y.map((one, j) => one - step * (gradient[j] as number)));
    let next = stepped();
    while (slopeAt(next).value > parabola(value, gradient, y, next, step)) {
      step /= 2;
      next = stepped();
    }
    if (largestChange(y, next) < TOLERANCE * step) return next;
    const isUphill = along(gradient, x, next) > 0;
    const nextMomentum = isUphill ? 1 : (1 + Math.sqrt(1 + 4 * momentum ** 2)) / 2;
    const push = isUphill ? 0 : (momentum - 1) / nextMomentum;
    const before = x;
    y = next.map((one, j) => one + push * (one - (before[j] as number)));
    [x, momentum] = [next, nextMomentum];
  }
  return x;
}

/** What rounding may add to a value. */
const ROUNDING = 1e-12;

/** value + gradient (to - from) + |to - from|² / (2 step) */
function parabola(
  value: number,
  gradient: Float64Array,
  from: Float64Array,
  to: Float64Array,
  step: number,
): number {
  const squared = from.reduce((sum, one, j) => sum + ((to[j] as number) - one) ** 2, 0);
  return value + along(gradient, from, to) + squared / (2 * step) + ROUNDING;
}

/** Inner product of the gradient with the way from one point to another. */
function along(gradient: Float64Array, from: Float64Array, to: Float64Array): number {
  return gradient.reduce((sum, slope, j) => sum + slope * ((to[j] as number) - (from[j] as number)), 0);
}

function largestChange(from: Float64Array, to: Float64Array): number {
  return Math.max(...from.map((value, j) => Math.abs((to[j] as number) - value)));
}

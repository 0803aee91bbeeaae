import { ABSENT, distinctSteps, type Timeline, valueAt } from "./timeline.js";

/** How a block's residual is held back in time. */
export type Delay =
  /** No delay: z[t] = u[t]; the ordinary network. */
  | { readonly kind: "none" }
  /** One-step delay: z[t] = u[t-1], z[0] = 0. */
  | { readonly kind: "oneStepDelay" }
  /** Exponentially weighted smoothing: z[t] = a z[t-1] + (1 - a) u[t], z[-1] = 0; with a = 0 no delay. */
  | { readonly kind: "exponentialSmoothing"; readonly alpha: number };

/** z[d] = carry z[d-1] + gain u[d]: how much is kept of the step before, and how much taken of the new one. */
function recurrence(delay: Delay): { carry: number; gain: number } {
  return delay.kind === "exponentialSmoothing"
    ? { carry: delay.alpha, gain: 1 - delay.alpha }
    : { carry: 0, gain: 1 };
}

/** Whether nothing of the image can have reached the output at t = 0, so that it is left out of the loss. */
export function outputIsBlindAtStart(delay: Delay): boolean {
  return delay.kind === "oneStepDelay";
}

/**
 * The delay as a lower-triangular kernel on the time axis, z = kernel u, shape [T, T], row-major.
 *
 *     one-step delay          kernel[t][s] = 1 if s = t - 1, else 0
 *     no delay                kernel[t][s] = 1 if s = t, else 0
 *     exponential smoothing   kernel[t][s] = (1 - a) a^(t-s) if s <= t, else 0
 */
export function delayKernel(delay: Delay, timesteps: number): number[][] {
  return Array.from({ length: timesteps }, (_, t) =>
    Array.from({ length: timesteps }, (_, s) => {
      if (delay.kind === "oneStepDelay") return s === t - 1 ? 1 : 0;
      const { carry, gain } = recurrence(delay);
      return s <= t ? gain * carry ** (t - s) : 0;
    }),
  );
}

/**
 * How a delayed residual and an instant shortcut are put together, over the distinct steps of the result:
 *
 *     z[d] = carry z[d-1] + gain u[residual[d]]        (u counts as zero where residual[d] is ABSENT)
 *     v[d] = z[d] + x[shortcut[d]]                     (z counts from d = firstCounted on; x where it is not ABSENT)
 */
export interface MergePlan {
  readonly timeline: Timeline;
  readonly carry: number;
  readonly gain: number;
  readonly firstCounted: number;
  readonly residual: readonly number[];
  readonly shortcut: readonly number[];
}

/**
 * The plan for `delay(residual) + shortcut`; leave out the shortcut to delay alone (the stem). Before timestep
 * `countsFrom` the delayed residual counts as zero, though its smoothing goes on (the serial scheme).
 */
export function planMerge(delay: Delay, residual: Timeline, shortcut?: Timeline, countsFrom = 0): MergePlan {
  const { carry, gain } = recurrence(delay);
  const delayedStep = (t: number): number => {
    if (carry === 0 && t < countsFrom) return ABSENT;
    if (delay.kind !== "oneStepDelay") return valueAt(residual.step, t);
    return t === 0 ? ABSENT : valueAt(residual.step, t - 1);
  };
  const shortcutStep = (t: number): number => (shortcut === undefined ? ABSENT : valueAt(shortcut.step, t));
  // A smoothed value goes on changing after its input has stopped, so no two of its timesteps are equal.
  const keys = residual.step.map((_, t) => (carry > 0 ? String(t) : `${delayedStep(t)}/${shortcutStep(t)}`));
  const { step, firstTimestep } = distinctSteps(keys);
  const from = firstTimestep.map(delayedStep);
  const instant = firstTimestep.map(shortcutStep);
  const rowsOf = (timeline: Timeline | undefined, d: number): number =>
    timeline === undefined || d === ABSENT ? 1 : valueAt(timeline.rows, d);
  const ownRows = from.map((d, i) => Math.max(rowsOf(residual, d), rowsOf(shortcut, valueAt(instant, i))));
  // Smoothing carries each image's own past: where one step depends on the image, every step has a row for each.
  const rows = carry === 0 ? ownRows : ownRows.map(() => Math.max(...ownRows));
  const firstCounted = carry > 0 ? countsFrom : 0;
  return { timeline: { step, rows }, carry, gain, firstCounted, residual: from, shortcut: instant };
}

/** First timestep whose residual is ever used: the serial scheme needs nothing of a block before its turn. */
export function firstNeeded(delay: Delay, countsFrom: number): number {
  if (recurrence(delay).carry > 0) return 0;
  return delay.kind === "oneStepDelay" ? Math.max(0, countsFrom - 1) : countsFrom;
}

/**
 * The part of a plan that makes the given steps of its result, of so many rows each, from the steps of residual and
 * shortcut that it names. With a carry the steps are the first ones, in order.
 */
export function planOfSteps(
  plan: MergePlan,
  steps: readonly number[],
  rows: readonly number[],
): { plan: MergePlan; residual: number[]; shortcut: number[] } {
  const residual = used(plan.residual, steps);
  const shortcut = used(plan.shortcut, steps);
  const timeline = { step: steps.map((_, i) => i), rows };
  const part = { ...plan, timeline, residual: residual.places, shortcut: shortcut.places };
  return { plan: part, residual: residual.sources, shortcut: shortcut.sources };
}

/** Which sources the steps read, each once, and the place of each step's among them. */
function used(sources: readonly number[], steps: readonly number[]): { sources: number[]; places: number[] } {
  const read = steps.map((d) => valueAt(sources, d));
  const distinct = [...new Set(read)].filter((d) => d !== ABSENT);
  return { sources: distinct, places: read.map((d) => (d === ABSENT ? ABSENT : distinct.indexOf(d))) };
}

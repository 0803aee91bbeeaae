/** How the learning rate changes over a training. */
export type Schedule =
  | { readonly kind: "constant" }
  | { readonly kind: "step"; readonly milestones: readonly number[]; readonly factor: number }
  | { readonly kind: "oneCycle"; readonly warmup: number };

/** A twenty-fifth of the peak, from which a one-cycle schedule starts. */
const ONE_CYCLE_START = 1 / 25;

/**
 * Learning rate of step s (from 0) of S, S / E steps an epoch:
 *
 *     constant    rate
 *     step        rate factor^(milestones passed)
 *     one-cycle   cosine from rate / 25 to rate over the first warmup S steps, then cosine to 0
 */
export function learningRateAt(
  schedule: Schedule,
  rate: number,
  step: number,
  steps: number,
  stepsPerEpoch: number,
): number {
  switch (schedule.kind) {
    case "constant":
      return rate;
    case "step": {
      const epoch = Math.floor(step / stepsPerEpoch);
      return rate * schedule.factor ** schedule.milestones.filter((milestone) => epoch >= milestone).length;
    }
    case "oneCycle": {
      const peak = schedule.warmup * steps;
      if (step < peak) return cosine(rate * ONE_CYCLE_START, rate, step / peak);
      return cosine(rate, 0, (step - peak) / Math.max(1, steps - peak));
    }
  }
}

/** Half a cosine wave from `from` at 0 to `to` at 1. */
function cosine(from: number, to: number, share: number): number {
  return to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2;
}

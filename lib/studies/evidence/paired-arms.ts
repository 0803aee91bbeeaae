import { mean, standardError } from "../../util/statistics.js";

/** What came out in one arm of a comparison (a setting under test) for one seed. */
export interface ArmResult<Measured> {
  readonly arm: string;
  readonly seed: number;
  readonly measured: Measured;
}

/** Arms that were each run with the same seeds, so that they are compared seed by seed. */
export class PairedArms<Measured> {
  readonly arms: readonly string[];
  readonly seeds: readonly number[];

  constructor(readonly results: readonly ArmResult<Measured>[]) {
    this.arms = [...new Set(results.map(({ arm }) => arm))];
    this.seeds = [...new Set(results.map(({ seed }) => seed))];
  }

  /** A quantity of one arm, [seeds]. */
  bySeed(arm: string, quantity: (measured: Measured) => number): number[] {
    return this.seeds.map((seed) => {
      const found = this.results.find((one) => one.arm === arm && one.seed === seed);
      if (found === undefined) throw new RangeError(`no result of ${arm} with seed ${seed}`);
      return quantity(found.measured);
    });
  }

  /** By how much one arm is above another, [seeds]. */
  lead(arm: string, other: string, quantity: (measured: Measured) => number): number[] {
    const theirs = this.bySeed(other, quantity);
    return this.bySeed(arm, quantity).map((value, i) => value - (theirs[i] as number));
  }
}

/** Whether paired differences are above zero by more than their standard error; a single seed decides nothing. */
export function leads(differences: readonly number[]): boolean {
  return mean(differences) > standardError(differences);
}

/** Whether paired differences are not below zero by more than their standard error; a single seed decides nothing. */
export function keepsUp(differences: readonly number[]): boolean {
  return mean(differences) >= -standardError(differences);
}

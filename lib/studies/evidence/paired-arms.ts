import type { Contrast } from "./finding.js";
import type { Quantity } from "./quantities.js";

/** What one arm of a comparison, a model or a setting, gave with one seed. */
export interface ArmResult<Measured> {
  readonly arm: string;
  readonly seed: number;
  /** "diverged" where there is no model to measure. */
  readonly measured: Measured | "diverged";
}

/**
 * Arms that were run with the same seeds. They are compared seed by seed, whatever the order of the results, so that
 * what the seeds have in common cancels. A seed with which an arm diverged is left out of that arm's numbers, and of
 * both sides of its comparisons.
 */
export class PairedArms<Measured> {
  readonly arms: readonly string[];
  readonly seeds: readonly number[];

  /** Throws a RangeError for two results of one arm and seed. */
  constructor(readonly results: readonly ArmResult<Measured>[]) {
    const places = new Set<string>();
    for (const { arm, seed } of results) {
      if (places.has(`${seed} ${arm}`)) throw new RangeError(`two results of ${arm} with seed ${seed}`);
      places.add(`${seed} ${arm}`);
    }
    this.arms = [...new Set(results.map(({ arm }) => arm))];
    this.seeds = [...new Set(results.map(({ seed }) => seed))].sort((a, b) => a - b);
  }

  /** A quantity of one arm, a number for each seed that gave a model; a RangeError where a seed is missing. */
  bySeed(arm: string, quantity: Quantity<Measured>): number[] {
    return this.seeds.flatMap((seed) => {
      const measured = this.#measured(arm, seed);
      return measured === "diverged" ? [] : [quantity.of(measured)];
    });
  }

  /** By how much one arm is above another, a number for each seed that gave both models. */
  lead(arm: string, other: string, quantity: Quantity<Measured>): number[] {
    return this.seeds.flatMap((seed) => {
      const [own, theirs] = [this.#measured(arm, seed), this.#measured(other, seed)];
      return own === "diverged" || theirs === "diverged" ? [] : [quantity.of(own) - quantity.of(theirs)];
    });
  }

  /** For a finding: one arm over each of others in a quantity. */
  over(arm: string, others: readonly string[], quantity: Quantity<Measured>): Contrast[] {
    return others.map((other) => ({
      of: `${arm} over ${other}`,
      values: this.lead(arm, other, quantity),
      seeds: this.seeds.length,
      unit: quantity.unit,
    }));
  }

  /** For a finding: quantities of one arm. */
  own(arm: string, quantities: readonly Quantity<Measured>[]): Contrast[] {
    return quantities.map((quantity) => ({
      of: `${arm}, ${quantity.name}`,
      values: this.bySeed(arm, quantity),
      seeds: this.seeds.length,
      unit: quantity.unit,
    }));
  }

  #measured(arm: string, seed: number): Measured | "diverged" {
    const found = this.results.find((one) => one.arm === arm && one.seed === seed);
    if (found === undefined) throw new RangeError(`no result of ${arm} with seed ${seed}`);
    return found.measured;
  }
}

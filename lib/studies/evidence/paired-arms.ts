import type { Contrast } from "./finding.js";
import type { Unit } from "./format.js";
import type { Quantity } from "./quantities.js";
import { mean } from "../../util/statistics.js";

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

  /** The same arms measured on all images but those of each group, the same in all; none where that is not known. */
  readonly #withoutGroup: readonly PairedArms<Measured>[];

  /** Arms that know what they would be without each group of images. */
  static grouped<Measured extends { readonly withoutGroup: readonly Partial<Measured>[] }>(
    results: readonly ArmResult<Measured>[],
  ): PairedArms<Measured> {
    return new PairedArms(results, (all) => all.withoutGroup.map((group) => ({ ...all, ...group })));
  }

  /**
   * `withoutGroup` gives what was measured on all images but those of each group. Throws a RangeError for two results of
   * one arm and seed.
   */
  constructor(
    readonly results: readonly ArmResult<Measured>[],
    withoutGroup: (measured: Measured) => readonly Measured[] = () => [],
  ) {
    const places = new Set<string>();
    for (const { arm, seed } of results) {
      if (places.has(`${seed} ${arm}`)) throw new RangeError(`two results of ${arm} with seed ${seed}`);
      places.add(`${seed} ${arm}`);
    }
    this.arms = [...new Set(results.map(({ arm }) => arm))];
    this.seeds = [...new Set(results.map(({ seed }) => seed))].sort((a, b) => a - b);
    this.#withoutGroup = groupResults(results, withoutGroup).map((group) => new PairedArms(group));
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

  /** For a finding: numbers, one a seed, that are read off the arms, on all images and without each group of them. */
  contrast(of: string, unit: Unit, valuesOf: (arms: PairedArms<Measured>) => readonly number[]): Contrast {
    const withoutGroup = this.#withoutGroup.map((arms) => mean(valuesOf(arms)));
    return {
      of,
      values: valuesOf(this),
      ...(withoutGroup.length > 1 && { withoutGroup }),
      seeds: this.seeds.length,
      unit,
    };
  }

  /** For a finding: one arm over each of others in a quantity. */
  over(arm: string, others: readonly string[], quantity: Quantity<Measured>): Contrast[] {
    return others.map((other) =>
      this.contrast(`${arm} over ${other}`, quantity.unit, (arms) => arms.lead(arm, other, quantity)),
    );
  }

  /** For a finding: quantities of one arm. */
  own(arm: string, quantities: readonly Quantity<Measured>[]): Contrast[] {
    return quantities.map((quantity) =>
      this.contrast(`${arm}, ${quantity.name}`, quantity.unit, (arms) => arms.bySeed(arm, quantity)),
    );
  }

  #measured(arm: string, seed: number): Measured | "diverged" {
    const found = this.results.find((one) => one.arm === arm && one.seed === seed);
    if (found === undefined) throw new RangeError(`no result of ${arm} with seed ${seed}`);
    return found.measured;
  }
}

/** The results without each group of images, group by group; none where a result does not know them. */
function groupResults<Measured>(
  results: readonly ArmResult<Measured>[],
  withoutGroup: (measured: Measured) => readonly Measured[],
): ArmResult<Measured>[][] {
  const known = results.map(({ measured }) => (measured === "diverged" ? undefined : withoutGroup(measured)));
  const groups = Math.min(...known.flatMap((measured) => measured?.length ?? []));
  return Array.from({ length: Number.isFinite(groups) ? groups : 0 }, (_, group) =>
    results.map((result, i) => ({ ...result, measured: known[i]?.[group] ?? "diverged" })),
  );
}

import type { AnytimeMeasures } from "./anytime-measures.js";
import { differenceAndError, meanAndError } from "./mean-and-error.js";
import type { ArmResult, PairedArms } from "./paired-arms.js";
import type { TableRow } from "../study.js";

/** A number of one run, in %. */
export type Judged = (measured: AnytimeMeasures) => number;

/** Accuracy in % at a timestep, counted from the end if negative. */
export const accuracyAt =
  (t: number) =>
  ({ accuracy }: Pick<AnytimeMeasures, "accuracy">): number =>
    100 * (accuracy.at(t) ?? NaN);

/** What a change of the training is judged by: early, later and last accuracy, and the area over time. */
export const JUDGED: readonly { readonly name: string; readonly quantity: Judged }[] = [
  { name: "t = 1", quantity: accuracyAt(1) },
  { name: "t = 3", quantity: accuracyAt(3) },
  { name: "last", quantity: accuracyAt(-1) },
  { name: "area", quantity: ({ area }) => 100 * area },
];

/** Each judged number of an arm, with the paired difference to the usual arm in brackets. */
export function changeCells(paired: PairedArms<AnytimeMeasures>, arm: string, usual: string): TableRow {
  return Object.fromEntries(
    JUDGED.map(({ name, quantity }) => {
      const own = meanAndError(paired.bySeed(arm, quantity));
      const change = differenceAndError(paired.lead(arm, usual, quantity));
      return [name, arm === usual ? own : `${own} (${change})`];
    }),
  );
}

/** Every run, one row each: accuracy at each timestep. */
export function runRows(results: readonly ArmResult<AnytimeMeasures>[]): TableRow[] {
  return results.map(({ arm, seed, measured: { run, accuracy } }) => ({
    arm,
    seed,
    run,
    ...Object.fromEntries(accuracy.map((share, t) => [`t = ${t}`, share])),
  }));
}

import { type ColumnTable, from } from "arquero";
import type { SpeedAccuracyPoint } from "../../trace/speed-accuracy-curve.js";
import { UserError } from "../../util/errors.js";
import type { TableRow } from "../study.js";
import type { AnytimeModel } from "./anytime-models.js";
import { differenceAndError, meanAndError } from "./format.js";
import type { PairedArms } from "./paired-arms.js";
import { lastStep, type OverTime, type Quantity } from "./quantities.js";

/** Quantities of an arm under their names: mean ± standard error over seeds. */
export function quantityCells<Measured>(
  paired: PairedArms<Measured>,
  arm: string,
  quantities: readonly Quantity<Measured>[],
): TableRow {
  return Object.fromEntries(
    quantities.map((quantity) => [
      quantity.name,
      meanAndError(paired.bySeed(arm, quantity), quantity.unit.digits),
    ]),
  );
}

/** The same, with the paired difference to the usual arm in brackets. */
export function changeCells<Measured>(
  paired: PairedArms<Measured>,
  arm: string,
  usual: string,
  quantities: readonly Quantity<Measured>[],
): TableRow {
  const own = quantityCells(paired, arm, quantities);
  if (arm === usual) return own;
  return Object.fromEntries(
    quantities.map((quantity) => {
      const change = differenceAndError(paired.lead(arm, usual, quantity), quantity.unit.digits);
      return [quantity.name, `${own[quantity.name] ?? ""} (${change})`];
    }),
  );
}

/** What the runs gave, without those that diverged. */
export function measuredResults<Measured>({ results }: PairedArms<Measured>) {
  return results.flatMap(({ arm, seed, measured }) =>
    measured === "diverged" ? [] : [{ arm, seed, measured }],
  );
}

/** The last timestep that all have; a UserError where every training diverged. */
export function lastTimestep(paired: PairedArms<OverTime>): number {
  const results = measuredResults(paired);
  if (results.length === 0) throw new UserError(`every training of ${paired.arms.join(", ")} diverged`);
  return Math.min(...results.map(({ measured }) => measured.accuracy.length)) - 1;
}

/** Every run, one row each: accuracy at each timestep. */
export function runRows(paired: PairedArms<OverTime & { readonly run: string }>): TableRow[] {
  return measuredResults(paired).map(({ arm, seed, measured: { run, accuracy } }) => ({
    arm,
    seed,
    run,
    ...Object.fromEntries(accuracy.map((one, t) => [`t = ${t}`, one])),
  }));
}

/** For a figure over time: a row a run and timestep, with the arm as `model` and numbers [T] of the run. */
export function overTimeTable<Measured>(
  paired: PairedArms<Measured>,
  column: string,
  valuesOf: (measured: Measured) => readonly number[],
): ColumnTable {
  return from(
    measuredResults(paired).flatMap(({ arm, measured }) =>
      valuesOf(measured).map((value, timestep) => ({ model: arm, timestep, [column]: value })),
    ),
  );
}

/**
 * For a figure of speed and accuracy: a row a run and threshold, as `speedAccuracyTable` gives it for one trace; of the
 * confidence rule unless told.
 */
export function curveTable(
  paired: PairedArms<AnytimeModel>,
  curveOf: (measured: AnytimeModel) => readonly SpeedAccuracyPoint[] = ({ curve }) => curve,
): ColumnTable {
  return from(
    measuredResults(paired).flatMap(({ arm, seed, measured }) => {
      const asymptoticAccuracy = lastStep.of(measured) / 100;
      return curveOf(measured).map((point) => ({ model: arm, seed, ...point, asymptoticAccuracy }));
    }),
  );
}

import { areaOverBudgets } from "../../../trace/budget.js";
import type { PairedArms } from "../../evidence/paired-arms.js";
import { type Quantity, share } from "../../evidence/quantities.js";
import { measuredResults } from "../../evidence/tables.js";
import type { FieldModel } from "./measured.js";

/**
 * Energy of a multiply-add of 32-bit floating-point numbers in picojoules: 3.7 for the product and 0.9 for the sum, in 45 nm
 * (Horowitz, "Computing's energy problem", 2014). Memory, which costs more, is not counted.
 */
export const PICOJOULES = 4.6;

/** What an answer may cost. */
export interface BudgetAxis {
  readonly name: string;
  readonly unit: string;
  /** Of an axis of a figure. */
  readonly title: string;
  /** [T] of a competitor, in that unit. */
  readonly costsOf: (measured: FieldModel) => readonly number[];
}

const scaled = (values: readonly number[], factor: number): number[] => values.map((value) => value * factor);

/** Time on hardware with a unit a block and links of one of the latencies that were asked for. */
export function parallelAxis(link: number): BudgetAxis {
  return {
    name: "parallel time",
    unit: "million multiply-adds of one unit",
    title: "Time with a unit a block (million multiply-adds of one unit)",
    costsOf: ({ parallelTimes }) => scaled(parallelTimes[link] ?? [], 1e-6),
  };
}

/** The budgets, the one that the claim is about first. */
export const AXES: readonly BudgetAxis[] = [
  parallelAxis(0),
  {
    name: "multiply-adds",
    unit: "million multiply-adds",
    title: "Multiply-adds (millions)",
    costsOf: ({ multiplyAdds }) => scaled(multiplyAdds, 1e-6),
  },
  {
    name: "measured time",
    unit: "ms",
    title: "Measured time (ms)",
    costsOf: ({ milliseconds }) => milliseconds,
  },
  {
    name: "energy",
    unit: "µJ",
    title: "Energy of multiply-adds (µJ)",
    costsOf: ({ multiplyAdds }) => scaled(multiplyAdds, 1e-6 * PICOJOULES),
  },
];

/** The largest budget: what the slowest competitor's last answer costs. */
export function largestBudget(arms: PairedArms<FieldModel>, axis: BudgetAxis): number {
  return Math.max(...measuredResults(arms).map(({ measured }) => axis.costsOf(measured).at(-1) ?? 0));
}

/** Mean accuracy over all budgets up to `end`; before its first answer a competitor guesses. */
export function areaWithin(axis: BudgetAxis, end: number): Quantity<FieldModel> {
  return share(`over ${axis.name}`, (measured) =>
    areaOverBudgets(
      { costs: axis.costsOf(measured), accuracy: measured.accuracy },
      end,
      1 / measured.classes,
    ),
  );
}

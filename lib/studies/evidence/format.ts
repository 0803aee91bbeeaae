import { type Interval, mean, standardError } from "../../util/statistics.js";

/** How a difference of a quantity is written: its unit, and digits, which the quantity itself has too. */
export interface Unit {
  readonly difference: string;
  readonly digits: number;
}

export const PERCENT: Unit = { difference: " points", digits: 1 };
/** A bare number, such as a correlation or an AUROC. */
export const NUMBER: Unit = { difference: "", digits: 3 };

/** A mean over seeds with its standard error, as tables show it: "77.1 ± 0.3", or "77.1" of a single seed; "none" of nothing. */
export function meanAndError(values: readonly number[], digits = 1): string {
  const error = standardError(values);
  const centre = mean(values);
  if (Number.isNaN(centre)) return "none";
  const text = centre.toFixed(digits);
  return Number.isNaN(error) ? text : `${text} ± ${error.toFixed(digits)}`;
}

/** The same of a difference, with its sign: "+9.8 ± 0.5". */
export function differenceAndError(values: readonly number[], digits = 1): string {
  return `${mean(values) >= 0 ? "+" : ""}${meanAndError(values, digits)}`;
}

/** "+9.8", "-0.3". */
export function signed(value: number, digits = 1): string {
  return `${value < 0 ? "" : "+"}${value.toFixed(digits)}`;
}

/** "+8.1 to +11.5". */
export function intervalText({ low, high }: Interval, digits = 1): string {
  return `${signed(low, digits)} to ${signed(high, digits)}`;
}

/** "p = 0.013", "p < 0.001". */
export function pValueText(pValue: number): string {
  return pValue < 0.001 ? "p < 0.001" : `p = ${pValue.toFixed(3)}`;
}

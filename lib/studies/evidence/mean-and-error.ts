import { mean, standardError } from "../../util/statistics.js";

/** A mean over seeds with its standard error, as tables show it: "77.1 ± 0.3", or "77.1" of a single seed. */
export function meanAndError(values: readonly number[], digits = 1): string {
  const error = standardError(values);
  const text = mean(values).toFixed(digits);
  return Number.isNaN(error) ? text : `${text} ± ${error.toFixed(digits)}`;
}

/** The same of a difference, with its sign: "+9.8 ± 0.5". */
export function differenceAndError(values: readonly number[], digits = 1): string {
  return `${mean(values) < 0 ? "" : "+"}${meanAndError(values, digits)}`;
}

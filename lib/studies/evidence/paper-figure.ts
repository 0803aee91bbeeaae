import { isCifar10 } from "../../datasets/cifar-classes.js";

/** Accuracy in % of a model at a mean stopping time of 3 and at the last step. */
export type PaperFigure = ReadonlyMap<string, { readonly meanStop3: number; readonly last: number }>;

/** On CIFAR-10, read off the published main figure to about a point. */
export const PAPER: PaperFigure = new Map([
  ["CascadedTD", { meanStop3: 79, last: 91.5 }],
  ["CascadedTD-MultiHead", { meanStop3: 68, last: 90 }],
  ["CascadedCE", { meanStop3: 10, last: 92 }],
  ["SerialTD", { meanStop3: 58, last: 87 }],
  ["SerialTD-MultiHead", { meanStop3: 59, last: 90 }],
  ["SerialCE", { meanStop3: 10, last: 92 }],
]);

/** What stands beside results on images of these classes: the paper's figure where they are CIFAR-10's, else nothing. */
export function paperFigureFor(classNames: readonly string[]): PaperFigure {
  return isCifar10(classNames) ? PAPER : new Map();
}

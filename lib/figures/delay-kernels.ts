import { UserError } from "../util/errors.js";
import type { PlotlyFigure } from "./figure.js";
import { heatmapPanels } from "./heatmap-panels.js";

/** A delay's kernel on the time axis, [T, T], under the name that its panel shows. */
export interface NamedKernel {
  readonly name: string;
  readonly kernel: readonly (readonly number[])[];
}

/**
 * Delays as lower-triangular matrices, a panel each: the weight of the undelayed value of each timestep (column) in
 * the delayed value of each timestep (row). A weight of zero stays blank.
 * Throws a UserError where there is no kernel or one is not square.
 */
export function delayKernelsFigure(kernels: readonly NamedKernel[]): PlotlyFigure {
  if (kernels.length === 0)
    throw new UserError("the delay kernels figure has nothing to draw: give it a kernel");
  for (const { name, kernel } of kernels) {
    if (kernel.some((row) => row.length !== kernel.length))
      throw new UserError(`the delay kernels figure needs square kernels; "${name}" is not`);
  }
  return heatmapPanels(
    kernels.map(({ name, kernel }) => ({ title: name, values: kernel.map(blankZeros) })),
    {
      columns: "Timestep s of the undelayed u",
      rows: "Timestep t of the delayed z",
      firstRow: 0,
      rowsGo: "down",
      quantity: "Weight",
    },
  );
}

function blankZeros(row: readonly number[]): (number | null)[] {
  return row.map((weight) => (weight === 0 ? null : weight));
}

import { commonRange, type SpeedAxis, type SpeedRange } from "../../../trace/area.js";
import type { AnytimeModel } from "../../evidence/anytime-models.js";
import type { PairedArms } from "../../evidence/paired-arms.js";
import { lastTimestep, measuredResults } from "../../evidence/tables.js";

/** Accuracy in % on CIFAR-10 at t = 3 and at the last step, read off the published figure to about a point. */
export const PAPER: ReadonlyMap<string, { readonly at3: number; readonly last: number }> = new Map([
  ["CascadedTD", { at3: 79, last: 91.5 }],
  ["CascadedTD-MultiHead", { at3: 68, last: 90 }],
  ["CascadedCE", { at3: 10, last: 92 }],
  ["SerialTD", { at3: 58, last: 87 }],
  ["SerialTD-MultiHead", { at3: 59, last: 90 }],
  ["SerialCE", { at3: 10, last: 92 }],
]);

export const AXES: readonly { readonly axis: SpeedAxis; readonly unit: string; readonly scale: number }[] = [
  { axis: "meanStoppingTime", unit: "timesteps", scale: 1 },
  { axis: "meanMultiplyAdds", unit: "million multiply-adds", scale: 1e6 },
  { axis: "meanMilliseconds", unit: "ms", scale: 1 },
];

/** The six models as arms, in the paper's order. */
export interface SixModels {
  readonly models: readonly string[];
  readonly arms: PairedArms<AnytimeModel>;
  /** Over which the speed-accuracy curves are compared. */
  readonly rangeOf: (axis: SpeedAxis) => SpeedRange;
  /** Last timestep. */
  readonly last: number;
}

export function sixModels(arms: PairedArms<AnytimeModel>): SixModels {
  const curves = measuredResults(arms).map(({ measured }) => measured.curve);
  const ranges = new Map(AXES.map(({ axis }) => [axis, commonRange(curves, axis)] as const));
  return {
    models: [...PAPER.keys()].filter((model) => arms.arms.includes(model)),
    arms,
    rangeOf(axis) {
      const range = ranges.get(axis);
      if (range === undefined) throw new RangeError(`no common range of ${axis}`);
      return range;
    },
    last: lastTimestep(arms),
  };
}

import { areaUnderSpeedAccuracy, commonRange, type SpeedAxis, type SpeedRange } from "../../../trace/area.js";
import type { AnytimeModel } from "../../evidence/anytime-models.js";
import type { PairedArms } from "../../evidence/paired-arms.js";
import { PAPER, type PaperFigure } from "../../evidence/paper-figure.js";
import { type Quantity, share } from "../../evidence/quantities.js";
import { lastTimestep, measuredResults } from "../../evidence/tables.js";

export const AXES: readonly { readonly axis: SpeedAxis; readonly unit: string; readonly scale: number }[] = [
  { axis: "meanStoppingTime", unit: "timesteps", scale: 1 },
  { axis: "meanMultiplyAdds", unit: "million multiply-adds", scale: 1e6 },
  { axis: "meanMilliseconds", unit: "ms", scale: 1 },
];

/** Mean accuracy over a range of speeds where every image is answered at the same timestep. */
export function areaUnderDeadlines(range: SpeedRange, axis: SpeedAxis): Quantity<AnytimeModel> {
  return share("area under deadlines", ({ deadlines }) => areaUnderSpeedAccuracy(deadlines, range, axis));
}

/** The six models as arms, in the paper's order, and what stands beside them. */
export interface SixModels {
  readonly models: readonly string[];
  readonly arms: PairedArms<AnytimeModel>;
  /** What the paper has of the models on the same data; may be empty. */
  readonly paper: PaperFigure;
  /** Over which the speed-accuracy curves are compared. */
  readonly rangeOf: (axis: SpeedAxis) => SpeedRange;
  /** Last timestep. */
  readonly last: number;
}

export function sixModels(arms: PairedArms<AnytimeModel>, paper: PaperFigure): SixModels {
  const curves = measuredResults(arms).flatMap(({ measured }) =>
    [measured, ...measured.withoutGroup].map(({ curve }) => curve),
  );
  const ranges = new Map(AXES.map(({ axis }) => [axis, commonRange(curves, axis)] as const));
  return {
    models: [...new Set([...PAPER.keys(), ...arms.arms])].filter((model) => arms.arms.includes(model)),
    arms,
    paper,
    rangeOf(axis) {
      const range = ranges.get(axis);
      if (range === undefined) throw new RangeError(`no common range of ${axis}`);
      return range;
    },
    last: lastTimestep(arms),
  };
}

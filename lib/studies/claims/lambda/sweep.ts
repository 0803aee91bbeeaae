import type { PresetName } from "../../../experiments/specs/presets.js";
import { commonRange } from "../../../trace/area.js";
import type { AnytimeModel } from "../../evidence/anytime-models.js";
import type { PairedArms } from "../../evidence/paired-arms.js";
import {
  accuracyAt,
  areaOverTime,
  areaUnderCurve,
  lastStep,
  type Quantity,
} from "../../evidence/quantities.js";
import { measuredResults } from "../../evidence/tables.js";

/** The models swept, with the lambda of each in the paper's main figure and the opposite end. */
export const MODELS: readonly {
  readonly model: string;
  readonly preset: PresetName;
  readonly paper: number;
  readonly opposite: number;
}[] = [
  { model: "CascadedTD", preset: "cascaded-td", paper: 0, opposite: 1 },
  { model: "CascadedTD-MultiHead", preset: "cascaded-td-multihead", paper: 0, opposite: 1 },
  { model: "SerialTD", preset: "serial-td", paper: 1, opposite: 0 },
  { model: "SerialTD-MultiHead", preset: "serial-td-multihead", paper: 1, opposite: 0 },
];

export const EARLY_STEP = 3;

export const armOf = (model: string, lambda: number): string => `${model}, λ = ${lambda}`;

/** All models with every lambda. */
export interface Sweep {
  readonly lambdas: readonly number[];
  readonly arms: PairedArms<AnytimeModel>;
  /** The models that were measured, one a run. */
  readonly runs: readonly AnytimeModel[];
  /** What lambda is judged by. */
  readonly quantities: readonly Quantity<AnytimeModel>[];
}

export function sweepOf(arms: PairedArms<AnytimeModel>, lambdas: readonly number[]): Sweep {
  const runs = measuredResults(arms).map(({ measured }) => measured);
  const range = commonRange(runs.map(({ curve }) => curve));
  const curve = areaUnderCurve(range);
  const underCurve = {
    ...curve,
    name: `${curve.name} from ${range.from.toFixed(2)} to ${range.to.toFixed(2)}`,
  };
  return { lambdas, arms, runs, quantities: [lastStep, accuracyAt(EARLY_STEP), areaOverTime, underCurve] };
}

import { areaUnderAccuracy } from "../../../trace/area.js";
import { relativeDrop } from "../../../trace/robustness.js";
import { mean } from "../../../util/statistics.js";
import { type Quantity, share } from "../../evidence/quantities.js";
import type { NoisyModel, NoisyResult } from "./evaluation.js";

/** When accuracy is asked for: at the last timestep, or over all of them (area, trapezoids, divided by T - 1). */
export const WHEN = ["over time", "last step"] as const;
export type When = (typeof WHEN)[number];

export interface Condition {
  readonly noise: string;
  readonly schedule: string;
}

const CLEAN: Condition = { noise: "none", schedule: "none" };

/** The accuracy of a model under a condition, as a share. */
export function accuracyUnder({ results }: NoisyModel, { noise, schedule }: Condition, when: When): number {
  const result: NoisyResult | undefined = results.find(
    (one) => one.noise === noise && one.schedule === schedule,
  );
  if (result === undefined) throw new RangeError(`nothing was measured under ${schedule} ${noise}`);
  return when === "last step" ? (result.accuracy.at(-1) ?? NaN) : areaUnderAccuracy(result.accuracy);
}

export const cleanAccuracy = (model: NoisyModel, when: When): number => accuracyUnder(model, CLEAN, when);

/** The share of a model's own clean accuracy above chance that the noise takes away. */
export function relativeDropOf(model: NoisyModel, condition: Condition, when: When): number {
  return relativeDrop(cleanAccuracy(model, when), accuracyUnder(model, condition, when), 1 / model.classes);
}

/** Accuracy under noise: higher also where a model is more accurate without noise. */
export function noisyAccuracy(conditions: readonly Condition[], when: When): Quantity<NoisyModel> {
  return share("accuracy", (model) => mean(conditions.map((one) => accuracyUnder(model, one, when))));
}

/** What noise leaves of a model's own clean accuracy above chance, 1 - the relative drop: its robustness. */
export function shareLeft(conditions: readonly Condition[], when: When): Quantity<NoisyModel> {
  return share("share left", (model) => mean(conditions.map((one) => 1 - relativeDropOf(model, one, when))));
}

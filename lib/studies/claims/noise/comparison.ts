import { areaUnderAccuracy } from "../../../trace/area.js";
import { relativeDrop } from "../../../trace/robustness.js";
import type { NoisyModel, NoisyResult } from "./evaluation.js";

/** Accuracy asked for at the last timestep, or its mean over all of them (area, trapezoids, divided by T - 1). */
export type Moment = "last step" | "over time";
export const MOMENTS = ["over time", "last step"] as const satisfies readonly Moment[];

/** Accuracy itself, or the share of the model's own clean accuracy above chance that the noise takes away. */
export type Measure = "accuracy" | "relative drop";
export const MEASURES = ["accuracy", "relative drop"] as const satisfies readonly Measure[];

export interface Condition {
  readonly noise: string;
  readonly schedule: string;
}

/** Accuracy of a result, as a share. */
export function accuracyAt({ accuracy }: NoisyResult, moment: Moment): number {
  return moment === "last step" ? (accuracy.at(-1) ?? NaN) : areaUnderAccuracy(accuracy);
}

/** The result of a model under a condition. */
export function resultUnder({ results }: NoisyModel, { noise, schedule }: Condition): NoisyResult {
  const result = results.find((one) => one.noise === noise && one.schedule === schedule);
  if (result === undefined) throw new RangeError(`nothing was measured under ${schedule} ${noise}`);
  return result;
}

/** One model's accuracy or relative drop under a condition, as a share. */
export function measured(model: NoisyModel, condition: Condition, measure: Measure, moment: Moment): number {
  const noisy = accuracyAt(resultUnder(model, condition), moment);
  if (measure === "accuracy") return noisy;
  const clean = accuracyAt(resultUnder(model, { noise: "none", schedule: "none" }), moment);
  return relativeDrop(clean, noisy, 1 / model.classes);
}

/** By how much one model does better than another of the same seed: a value each seed that both have. */
export function advantages(
  models: readonly NoisyModel[],
  [first, second]: readonly [string, string],
  condition: Condition,
  measure: Measure,
  moment: Moment,
): number[] {
  return models
    .filter(({ model }) => model === first)
    .flatMap((one) => {
      const other = models.find(({ model, seed }) => model === second && seed === one.seed);
      if (other === undefined) return [];
      const difference =
        measured(one, condition, measure, moment) - measured(other, condition, measure, moment);
      // Less is lost where the drop is smaller.
      return [measure === "accuracy" ? difference : -difference];
    });
}

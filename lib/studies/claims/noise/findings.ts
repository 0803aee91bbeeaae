import { NOISE_NAMES } from "../../../noise/noises.js";
import { differenceAndError } from "../../evidence/mean-and-error.js";
import { advantages, type Measure, MEASURES, type Moment, MOMENTS } from "./comparison.js";
import { type NoisyModel, SCHEDULES } from "./evaluation.js";
import { leads } from "../../evidence/paired-arms.js";
import type { Finding } from "../../study.js";

/** The model that the claim is about. */
export const TESTED = "CascadedTD";
/** What it is compared with: first the claim's conventional ResNet. */
export const OPPONENTS = ["SerialCE", "CascadedCE", "SerialTD-MultiHead"] as const;

/** Trained on clean images, or with a patch of each set to zero. */
export type Training = "clean" | "occluded";
export const TRAININGS = ["clean", "occluded"] as const satisfies readonly Training[];
export const TRAINED: Readonly<Record<Training, string>> = {
  clean: "trained on clean images",
  occluded: "trained with occlusion",
};

/** All models of both trainings under all conditions. */
export type Evaluated = ReadonlyMap<Training, readonly NoisyModel[]>;

/** CascadedTD beside an opponent under all noises of a schedule. */
export interface Comparison {
  readonly training: Training;
  readonly opponent: string;
  readonly measure: Measure;
  readonly moment: Moment;
  readonly schedule: string;
  /** By noise: what CascadedTD is ahead in each seed, as a share. */
  readonly advantages: readonly { readonly noise: string; readonly bySeed: readonly number[] }[];
}

export function comparisonsOf(evaluated: Evaluated): Comparison[] {
  const comparisons: Comparison[] = [];
  for (const [training, models] of evaluated)
    for (const opponent of OPPONENTS)
      for (const measure of MEASURES)
        for (const moment of MOMENTS)
          for (const schedule of SCHEDULES) {
            const ahead = NOISE_NAMES.map((noise) => ({
              noise,
              bySeed: advantages(models, [TESTED, opponent], { noise, schedule }, measure, moment),
            }));
            comparisons.push({ training, opponent, measure, moment, schedule, advantages: ahead });
          }
  return comparisons;
}

/**
 * A finding each comparison. It comes out if CascadedTD is ahead under every noise of the schedule by more than the
 * standard error over seeds (`leads`); what is measured says under how many it is.
 */
export function noiseFindings(evaluated: Evaluated): Finding[] {
  return comparisonsOf(evaluated).map(
    ({ training, opponent, measure, moment, schedule, advantages: ahead }) => {
      const held = ahead.filter(({ bySeed }) => leads(bySeed)).length;
      const better =
        measure === "accuracy" ? "is more accurate than" : "loses a smaller share of its clean accuracy than";
      const each = ahead.map(({ noise, bySeed }) => `${noise} ${pointsAndError(bySeed)}`).join(", ");
      return {
        statement: `${TRAINED[training]}, ${moment}: under every ${schedule} noise ${TESTED} ${better} ${opponent}`,
        measured:
          `ahead by more than the standard error under ${held} of ${ahead.length} noises; in percentage points: ` +
          `${each} (n = ${ahead[0]?.bySeed.length ?? 0})`,
        comesOut: held === ahead.length,
      };
    },
  );
}

/** Shares as percentage points: their mean over seeds with its standard error. */
export function pointsAndError(shares: readonly number[]): string {
  return differenceAndError(shares.map((share) => 100 * share));
}

import { NOISE_NAMES } from "../../../noise/noises.js";
import { type Draft, finding } from "../../evidence/finding.js";
import type { PairedArms } from "../../evidence/paired-arms.js";
import { isAhead } from "../../evidence/rules.js";
import { type NoisyModel, SCHEDULES } from "./evaluation.js";
import { type Condition, shareLeft, WHEN } from "./quantities.js";
import { CASCADED_CE, CASCADED_TD, SERIAL_CE, SERIAL_TD_MULTIHEAD } from "../../evidence/model-names.js";

/** The conventional ResNet that the paper compares CascadedTD with, and two more. */
export const OPPONENTS = [SERIAL_CE, CASCADED_CE, SERIAL_TD_MULTIHEAD] as const;

/** Trained on clean images, or with a patch of each set to zero, as the paper's models are. */
export const AUGMENTATIONS = ["clean", "occluded"] as const;
export type Augmentation = (typeof AUGMENTATIONS)[number];
export const TRAINED: Readonly<Record<Augmentation, string>> = {
  clean: "trained on clean images",
  occluded: "trained with occlusion",
};

/** The models of each training as arms, under all conditions. */
export type Evaluated = ReadonlyMap<Augmentation, PairedArms<NoisyModel>>;

/** All noises of a schedule. */
export function noisesOf(schedule: string): Condition[] {
  return NOISE_NAMES.map((noise) => ({ noise, schedule }));
}

/**
 * What noise takes from a model is judged against its own clean accuracy, so that a lead that is there without noise is
 * none in robustness. End points are the paper's: trained with occlusion, against the conventional ResNet, at the last
 * step, on average over the noises of each schedule.
 */
export function noiseFindings(evaluated: Evaluated): Draft[] {
  return [...evaluated].flatMap(([training, arms]) =>
    OPPONENTS.flatMap((opponent) =>
      WHEN.flatMap((when) =>
        SCHEDULES.map((schedule) => {
          const isEndPoint = training === "occluded" && opponent === SERIAL_CE && when === "last step";
          return finding(
            {
              statement: `${TRAINED[training]}, ${when}: on average over the ${schedule} noises ${CASCADED_TD} keeps a larger share of its clean accuracy above chance than ${opponent}`,
              by: isEndPoint ? "paper" : "project",
              ...(isEndPoint && { carries: true }),
            },
            isAhead,
            arms.over(CASCADED_TD, [opponent], shareLeft(noisesOf(schedule), when)),
          );
        }),
      ),
    ),
  );
}

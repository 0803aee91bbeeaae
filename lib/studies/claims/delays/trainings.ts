import type { ResolvedDatasetSource } from "../../../datasets/source.js";
import type { CascadeNetworkSpec } from "../../../experiments/specs/network-spec.js";
import type { RunSpec } from "../../../experiments/specs/spec.js";
import type { PresetName } from "../../../experiments/specs/presets.js";
import { presetTraining } from "../../preset-trainings.js";
import type { StudySettings } from "../../study.js";
import { combined, type SpecChange } from "../../../experiments/specs/spec-change.js";

export interface DelaysSettings extends StudySettings {
  /** The a of smoothing, ascending from 0; the last one is also run for long. */
  readonly smoothings: readonly number[];
  /** Epsilon of the batch norm with which the longest smoothing is trained once more. */
  readonly smallEpsilon: number;
  readonly long: {
    readonly timesteps: number;
    /** Test images that trained networks are run over for long. */
    readonly images: number;
    /** Changes to the preset for the networks that are trained for long, and for the usual time beside them. */
    readonly change: SpecChange;
  };
}

export type TrainedDelay = CascadeNetworkSpec["delay"];

export const ONE_STEP: TrainedDelay = { kind: "oneStepDelay" };
export const smoothing = (alpha: number): TrainedDelay => ({ kind: "exponentialSmoothing", alpha });

export function delayName(delay: TrainedDelay): string {
  return delay.kind === "oneStepDelay" ? "one-step delay" : `a = ${delay.alpha}`;
}

export interface SeedTrainings {
  /** One-step delay first, then smoothing with each a. */
  readonly byDelay: readonly RunSpec[];
  /** The longest smoothing with the small epsilon. */
  readonly smallEpsilon: RunSpec;
  readonly ordinary: RunSpec;
  /** Small networks with the longest smoothing. */
  readonly smallShort: RunSpec;
  readonly smallLong: RunSpec;
}

export function trainingsOfSeed(
  { change, smoothings, smallEpsilon, long }: DelaysSettings,
  seed: number,
  data: ResolvedDatasetSource,
): SeedTrainings {
  const training = (preset: PresetName, ...changes: readonly SpecChange[]): RunSpec =>
    presetTraining(preset, seed, combined(...changes), data);
  const delayed = (delay: TrainedDelay): SpecChange => ({ network: { delay } });
  const longest = delayed(smoothing(longestOf(smoothings)));
  return {
    byDelay: [ONE_STEP, ...smoothings.map(smoothing)].map((delay) =>
      training("cascaded-td", change, delayed(delay)),
    ),
    smallEpsilon: training("cascaded-td", change, longest, { network: { epsilon: smallEpsilon } }),
    ordinary: training("cascaded-ce", change),
    smallShort: training("cascaded-td", long.change, longest),
    smallLong: training("cascaded-td", long.change, longest, { network: { timesteps: long.timesteps } }),
  };
}

export const longestOf = (smoothings: readonly number[]): number => smoothings.at(-1) ?? NaN;

/** Every delay that CascadedTD is trained with, the one-step delay first. */
export const delaysOf = ({ smoothings }: DelaysSettings): TrainedDelay[] => [
  ONE_STEP,
  ...smoothings.map(smoothing),
];

/** The arm of the longest smoothing with the small epsilon. */
export const smallEpsilonArm = ({ smoothings, smallEpsilon }: DelaysSettings): string =>
  `${delayName(smoothing(longestOf(smoothings)))}, ε = ${smallEpsilon}`;

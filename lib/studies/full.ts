import { combined, type SpecChange } from "../experiments/specs/spec-change.js";

/** The paper's own training: 150 epochs of step decay, with occlusion as augmentation. */
export const FULL_TRAINING: SpecChange = {
  train: {
    epochs: 150,
    schedule: { kind: "step", milestones: [60, 120], factor: 0.2 },
    augmentation: { occlusion: 16 },
  },
};

/** The paper's own size: a ResNet of full width, trained in that way. */
export const FULL_CHANGE: SpecChange = combined({ network: { width: 1 } }, FULL_TRAINING);
export const FULL_SEEDS: readonly number[] = [0, 1, 2, 3, 4];

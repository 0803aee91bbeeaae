import type { SpecChange } from "../experiments/specs/spec-change.js";

/** Hours on two cores: the presets' quarter width, for few epochs. Studies whose changes are equal share their trainings. */
export const REDUCED_CHANGE: SpecChange = { train: { epochs: 5 } };
/** For studies of many arms: half as wide, on a fifth of the images. */
export const REDUCED_NARROW_CHANGE: SpecChange = {
  network: { width: 0.125 },
  trainImages: 10000,
  train: { epochs: 3 },
};
export const REDUCED_SEEDS: readonly number[] = [0, 1, 2];

import type { ResolvedDatasetSource } from "../datasets/source.js";
import { type SpecChange } from "../experiments/specs/spec-change.js";

/** The data that studies run on where every step shall be exercised in an instant; its numbers mean nothing. */
export const QUICK_DATA: ResolvedDatasetSource = {
  kind: "procedural",
  classes: 10,
  size: 16,
  train: 640,
  test: 200,
  seed: 0,
};

/** What `replicate` runs on where no data are given: small enough for minutes, and models rise above chance. */
export const EMBEDDED_DATA: ResolvedDatasetSource = { ...QUICK_DATA, train: 3000, test: 500 };

/** What `EMBEDDED_DATA` take beyond the quick changes. */
export const EMBEDDED_CHANGE: SpecChange = { train: { epochs: 3 } };

/** Changes to a preset that train it on `QUICK_DATA` in about a second; the presets' patch would hide all of an image. */
export const QUICK_CHANGE: SpecChange = {
  network: { width: 0.0625 },
  train: { epochs: 1, batchSize: 64, augmentation: { occlusion: 0 } },
};

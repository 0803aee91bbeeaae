import type { ResolvedDatasetSource } from "../datasets/source.js";

/** The data that studies run on where every step shall be exercised in an instant; its numbers mean nothing. */
export const QUICK_DATA: ResolvedDatasetSource = {
  kind: "procedural",
  classes: 10,
  size: 16,
  train: 640,
  test: 200,
  seed: 0,
};

/** Changes to a preset that train it on `QUICK_DATA` in about a second. */
export const QUICK_OVERRIDES: readonly string[] = [
  "network.width=0.0625",
  "train.epochs=1",
  "train.batchSize=64",
];

import type { ResolvedDatasetSource } from "../datasets/source.js";

/** Images and trainings so small that a whole study runs in seconds; its numbers mean nothing. */
export const QUICK_DATA: ResolvedDatasetSource = {
  kind: "procedural",
  classes: 10,
  size: 16,
  train: 640,
  test: 200,
  seed: 0,
};

export const QUICK_OVERRIDES: readonly string[] = [
  "network.width=0.0625",
  "train.epochs=1",
  "train.batchSize=64",
];

import type { Dataset, ImageSet } from "../../../datasets/dataset.js";
import { proceduralSplit } from "../../../datasets/procedural.js";
import { limit } from "../../../datasets/split.js";
import { splitByClass } from "../../../datasets/split-by-class.js";
import type { TraceSettings } from "./runs.js";

/** Out-of-distribution images, some to learn from and others to test on. */
export interface OutOfDistributionImages {
  /** For the detectors that learn from out-of-distribution images. */
  readonly learn: ImageSet;
  readonly test: ImageSet;
}

/** The two kinds that need no other data. */
export const OWN_SETS = ["held-out classes", "procedural images"] as const;

/** Kinds of shape and texture that procedural data sets of up to ten classes lack. */
const PROCEDURAL_CLASSES = Array.from({ length: 10 }, (_, k) => 10 + k);

/** Images of the classes that no network saw, and made-up ones of the same size. */
export function ownOutOfDistributionSets(
  { train, test }: Dataset,
  { heldOutClasses, outOfDistributionImages }: TraceSettings,
  seed: number,
): Readonly<Record<(typeof OWN_SETS)[number], OutOfDistributionImages>> {
  const upTo = (set: ImageSet): ImageSet =>
    limit(set, Math.min(outOfDistributionImages, set.labels.length), seed);
  const procedural = (split: "train" | "test"): ImageSet => {
    const count = 2 * outOfDistributionImages;
    const source = {
      kind: "procedural",
      classes: 20,
      size: train.size.height,
      train: count,
      test: count,
      seed: 1,
    } as const;
    return splitByClass(proceduralSplit(source, split), PROCEDURAL_CLASSES).chosen;
  };
  return {
    "held-out classes": {
      learn: upTo(splitByClass(train, heldOutClasses).chosen),
      test: splitByClass(test, heldOutClasses).chosen,
    },
    "procedural images": { learn: procedural("train"), test: procedural("test") },
  };
}

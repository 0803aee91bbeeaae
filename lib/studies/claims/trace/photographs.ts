import { boxAveraged } from "../../../datasets/box-average.js";
import { limit } from "../../../datasets/split.js";
import { splitByClass } from "../../../datasets/split-by-class.js";
import type { ImageSet } from "../../../datasets/dataset.js";
import type { TableRow } from "../../study.js";
import type { NamedDataset } from "../../study-context.js";
import type { OutOfDistributionImages } from "./out-of-distribution.js";
import { isCifar10 } from "../../../datasets/cifar-classes.js";

/** Classes of TinyImageNet that are kinds of what CIFAR-10 shows. */
const KINDS_OF_CIFAR10 = new Set([
  ...["beach wagon", "convertible", "limousine", "sports car", "moving van", "police van"],
  ...["albatross", "black stork", "goose", "king penguin", "Egyptian cat", "Persian cat", "tabby"],
  ...["Chihuahua", "German shepherd", "golden retriever", "Labrador retriever", "standard poodle"],
  ...["Yorkshire terrier", "bullfrog", "tailed frog", "gondola", "lifeboat"],
]);

/**
 * Photographs of another data set as out-of-distribution images for networks that know the classes `known`: of its training
 * images those of every other class to learn from, of its test images those of the classes between to test on, so that no
 * detector is tested on a class that another one learnt from. Classes that are kinds of known ones are left out.
 */
export function photographsOf(
  { dataset: { train, test } }: NamedDataset,
  known: readonly string[],
  images: number,
  seed: number,
): OutOfDistributionImages {
  const kinds = isCifar10(known) ? KINDS_OF_CIFAR10 : new Set<string>();
  const foreign = [...train.classNames.keys()].filter((k) => !kinds.has(train.classNames[k] as string));
  const ofEvery = (set: ImageSet, remainder: number): ImageSet => {
    const classes = foreign.filter((_, i) => i % 2 === remainder);
    const { chosen } = splitByClass(set, classes);
    return limit(chosen, Math.min(images, chosen.labels.length), seed);
  };
  return { learn: ofEvery(train, 0), test: ofEvery(test, 1) };
}

/** The photographs at a side in pixels that they may not have, by averages over boxes. */
export function atSide(
  { learn, test }: OutOfDistributionImages,
  side: number,
  name: string,
): OutOfDistributionImages {
  return { learn: boxAveraged(learn, side, name), test: boxAveraged(test, side, name) };
}

/** What is shown of each data set. */
export function photographTable(
  others: readonly NamedDataset[],
  known: readonly string[],
  images: number,
): TableRow[] {
  return others.map((other) => {
    const { learn, test } = photographsOf(other, known, images, 0);
    return {
      set: setName(other),
      "data hash": other.dataset.hash.slice(0, 12),
      "classes learnt from": learn.classNames.length,
      "images learnt from": learn.labels.length,
      "other classes tested on": test.classNames.length,
      "images tested on": test.labels.length,
    };
  });
}

/** What results call the photographs of a data set. */
export function setName({ name }: NamedDataset): string {
  return `photographs of ${name}`;
}

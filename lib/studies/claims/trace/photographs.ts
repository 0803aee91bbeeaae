import { boxAveraged } from "../../../datasets/box-average.js";
import { limit } from "../../../datasets/split.js";
import { splitByClass } from "../../../datasets/split-by-class.js";
import type { ImageSet } from "../../../datasets/dataset.js";
import type { TableRow } from "../../study.js";
import type { NamedDataset } from "../../study-context.js";
import type { OutOfDistributionImages } from "./out-of-distribution.js";

/**
 * Photographs of another data set as out-of-distribution images: of its training images those of every other class to
 * learn from, of its test images those of the classes between to test on, so that no detector is tested on a class that
 * another one learnt from.
 */
export function photographsOf(
  { dataset: { train, test } }: NamedDataset,
  images: number,
  seed: number,
): OutOfDistributionImages {
  const even = [...train.classNames.keys()].filter((k) => k % 2 === 0);
  const some = (set: ImageSet): ImageSet => limit(set, Math.min(images, set.labels.length), seed);
  return { learn: some(splitByClass(train, even).chosen), test: some(splitByClass(test, even).others) };
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
export function photographTable(others: readonly NamedDataset[], images: number): TableRow[] {
  return others.map((other) => {
    const { learn, test } = photographsOf(other, images, 0);
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

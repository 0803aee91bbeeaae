import { boxAveraged } from "../../../datasets/box-average.js";
import { limit } from "../../../datasets/split.js";
import { splitByClass } from "../../../datasets/split-by-class.js";
import type { Dataset, ImageSet } from "../../../datasets/dataset.js";
import type { TableRow } from "../../study.js";
import type { StudyContext } from "../../study-context.js";
import type { OutOfDistributionImages } from "./out-of-distribution.js";

/** Photographs of another data set, parted by class: no detector is tested on a class that another one learnt from. */
export interface PhotographSet extends OutOfDistributionImages {
  readonly name: string;
  /** Of the data set. */
  readonly hash: string;
}

/**
 * The data sets that were given beside the study's own: of each the training images of every other class to learn from,
 * and the test images of the classes between to test on, both of the side that the study's images have.
 */
export async function photographSets(
  context: StudyContext,
  images: number,
  seed: number,
): Promise<PhotographSet[]> {
  const { height: side } = (await context.dataset()).train.size;
  const others = await context.otherDatasets();
  return others.map(({ name, dataset }) => ({
    name: `photographs of ${name}`,
    hash: dataset.hash,
    ...partedByClass(dataset, side, images, seed, name),
  }));
}

function partedByClass(
  { train, test }: Dataset,
  side: number,
  images: number,
  seed: number,
  name: string,
): OutOfDistributionImages {
  const even = [...train.classNames.keys()].filter((k) => k % 2 === 0);
  const part = (set: ImageSet): ImageSet =>
    boxAveraged(limit(set, Math.min(images, set.labels.length), seed), side, name);
  return { learn: part(splitByClass(train, even).chosen), test: part(splitByClass(test, even).others) };
}

/** What was shown of each data set. */
export function photographTable(sets: readonly PhotographSet[]): TableRow[] {
  return sets.map(({ name, hash, learn, test }) => ({
    set: name,
    "data hash": hash.slice(0, 12),
    "classes learnt from": learn.classNames.length,
    "images learnt from": learn.labels.length,
    "other classes tested on": test.classNames.length,
    "images tested on": test.labels.length,
  }));
}

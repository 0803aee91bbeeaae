import type { Dataset, ImageSet } from "../../datasets/dataset.js";
import { splitByClass } from "../../datasets/split-by-class.js";
import { limit, stratifiedSplit, subset } from "../../datasets/split.js";
import { UserError } from "../../util/errors.js";
import type { RunSpec } from "../specs/spec.js";

/** The images a spec trains on and those that it holds out, which training never sees. */
export function trainingImages(
  spec: RunSpec,
  dataset: Dataset,
): { readonly train: ImageSet; readonly validation: ImageSet } {
  const own = imagesOfClasses(spec, dataset.train);
  const all = spec.trainImages === null ? own : limit(own, spec.trainImages, spec.seed);
  const split = stratifiedSplit(all.labels, spec.validation, spec.seed);
  if (all.size.height !== all.size.width) {
    throw new UserError(
      `the images are ${all.size.height} x ${all.size.width} pixels; the networks here take square images, so give data.size`,
    );
  }
  return { train: subset(all, split.train), validation: subset(all, split.validation) };
}

/** The images a spec tests on. */
export function testImages(spec: RunSpec, dataset: Dataset): ImageSet {
  const own = imagesOfClasses(spec, dataset.test);
  return spec.testImages === null ? own : limit(own, spec.testImages, spec.seed);
}

/** The images whose classes the spec does not hold out. */
function imagesOfClasses({ heldOutClasses }: RunSpec, set: ImageSet): ImageSet {
  return heldOutClasses === undefined ? set : splitByClass(set, heldOutClasses).others;
}

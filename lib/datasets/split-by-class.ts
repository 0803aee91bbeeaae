import { UserError } from "../util/errors.js";
import type { ImageSet } from "./dataset.js";
import { subset } from "./split.js";

/**
 * Parts a set by class: the images of `classes` (places in `classNames`) and those of all others. Each part numbers
 * its own classes anew, in their order; original indices stay.
 *
 * Throws a UserError for a class that there is not, one named twice, and where no class is left.
 */
export function splitByClass(
  set: ImageSet,
  classes: readonly number[],
): { readonly chosen: ImageSet; readonly others: ImageSet } {
  const chosen = new Set(classes);
  const places = [...set.classNames.keys()];
  const unknown = classes.find((k) => !places.includes(k));
  if (unknown !== undefined) {
    throw new UserError(
      `class ${unknown} is to be held out, but the data has the classes 0 to ${places.length - 1}`,
    );
  }
  if (chosen.size < classes.length) throw new UserError(`the classes ${classes.join(", ")} name one twice`);
  if (places.length - chosen.size < 2) {
    throw new UserError(`of ${places.length} classes ${chosen.size} are to be held out; leave at least two`);
  }
  return {
    chosen: ofClasses(
      set,
      places.filter((k) => chosen.has(k)),
    ),
    others: ofClasses(
      set,
      places.filter((k) => !chosen.has(k)),
    ),
  };
}

function ofClasses(set: ImageSet, kept: readonly number[]): ImageSet {
  const members = [...set.labels.keys()].filter((n) => kept.includes(set.labels[n] as number));
  const part = subset(set, members);
  return {
    ...part,
    labels: part.labels.map((label) => kept.indexOf(label)),
    classNames: kept.map((k) => set.classNames[k] as string),
  };
}

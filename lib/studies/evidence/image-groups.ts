import { auroc } from "../../trace/auroc.js";
import { subtrace } from "../../trace/subtrace.js";
import type { Trace } from "../../trace/trace.js";

/** Groups of images that are left out one by one, to tell how far a number hangs on the choice of test images. */
export const IMAGE_GROUPS = 20;

/** What was measured on all images, with what of it findings need measured on all but those of each group. */
export type Grouped<Measures, Group extends Partial<Measures> = Measures> = Measures & {
  readonly withoutGroup: Group[];
};

/**
 * The group of an image, by its id alone, so that it is the same in every trace: ids spread evenly by the golden ratio
 * (Knuth's multiplicative hash). Not their remainders: where labels go round, image by image, those would be classes.
 */
export function imageGroup(id: number): number {
  return Math.floor(((Math.imul(id, 0x9e3779b1) >>> 0) / 2 ** 32) * IMAGE_GROUPS);
}

/** The places of the images that are left without each group. */
export function placesWithoutGroup(ids: ArrayLike<number>): number[][] {
  const places = Array.from(ids, (_, n) => n);
  return Array.from({ length: IMAGE_GROUPS }, (_, group) =>
    places.filter((n) => imageGroup(ids[n] as number) !== group),
  );
}

/** `measure` of a trace, and of all its images but those of each group. */
export function measuredWithGroups<Measures extends object>(
  trace: Trace,
  measure: (trace: Trace) => Measures,
): Grouped<Measures> {
  const withoutGroup = placesWithoutGroup(trace.ids).map((places) => measure(subtrace(trace, places)));
  return { ...measure(trace), withoutGroup };
}

/** AUROC of scores [N] (`auroc`) without each group of images; `ids` [N] say which group an image is of. */
export function aurocWithoutGroup(
  scores: ArrayLike<number>,
  positive: ArrayLike<number>,
  ids: ArrayLike<number>,
): number[] {
  return placesWithoutGroup(ids).map((places) =>
    auroc(
      places.map((n) => scores[n] as number),
      places.map((n) => positive[n] as number),
    ),
  );
}

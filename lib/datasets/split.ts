import { UserError } from "../util/errors.js";
import { randomStream } from "../util/random.js";
import type { ImageSet } from "./dataset.js";
import { valuesPerImage } from "../util/image-size.js";

/** Positions of two disjoint parts, each in ascending order. */
export interface Split {
  readonly train: Int32Array;
  readonly validation: Int32Array;
}

/**
 * Holds out `round(fraction * N_k)` examples of each class k for validation, chosen by `seed`.
 *
 * `labels` `[N]`, `fraction` in [0, 1). Throws a UserError for another fraction.
 */
export function stratifiedSplit(labels: Int32Array, fraction: number, seed: number): Split {
  if (!(fraction >= 0 && fraction < 1))
    throw new UserError(`the validation fraction is ${fraction}, allowed is 0 to below 1`);
  const held = shuffledClasses(labels, seed, "split").flatMap((members) =>
    members.slice(0, Math.round(fraction * members.length)),
  );
  const isHeld = new Set(held);
  return {
    train: Int32Array.from(labels.keys()).filter((n) => !isHeld.has(n)),
    validation: Int32Array.from(held).sort(),
  };
}

/**
 * `count` examples with as many of each class as possible, chosen by `seed`; fewer examples are always a part
 * of more. Throws a UserError where there are not that many.
 */
export function limit(set: ImageSet, count: number, seed: number): ImageSet {
  const total = set.labels.length;
  if (!Number.isInteger(count) || count < 1 || count > total)
    throw new UserError(`the limit is ${count} examples, allowed is 1 to ${total}`);
  const classes = shuffledClasses(set.labels, seed, "limit");
  const chosen: number[] = [];
  for (let round = 0; chosen.length < count; round++)
    for (const members of classes) {
      const member = members[round];
      if (member !== undefined && chosen.length < count) chosen.push(member);
    }
  return subset(set, Int32Array.from(chosen).sort());
}

/** The examples at `indices` `[M]`, in that order, as a set of its own. */
export function subset(set: ImageSet, indices: ArrayLike<number>): ImageSet {
  const values = valuesPerImage(set.size);
  const at = Int32Array.from(indices);
  const images = new Uint8Array(at.length * values);
  for (const [to, from] of at.entries())
    images.set(set.images.subarray(from * values, (from + 1) * values), to * values);
  const { paths, cScores, coarseLabels } = set;
  return {
    images,
    labels: at.map((n) => set.labels[n] ?? 0),
    ids: at.map((n) => set.ids[n] ?? 0),
    size: set.size,
    classNames: set.classNames,
    ...(paths === undefined ? {} : { paths: Array.from(at, (n) => paths[n] ?? "") }),
    ...(cScores === undefined ? {} : { cScores: Float32Array.from(at, (n) => cScores[n] ?? NaN) }),
    ...(coarseLabels === undefined ? {} : { coarseLabels: at.map((n) => coarseLabels[n] ?? 0) }),
  };
}

/** Positions of each class's examples, each class in a random order of its own stream. */
function shuffledClasses(labels: Int32Array, seed: number, purpose: string): number[][] {
  const members: number[][] = [];
  for (const [n, label] of labels.entries()) (members[label] ??= []).push(n);
  return Array.from(members, (all: number[] | undefined = [], label) =>
    Array.from(randomStream(seed, `${purpose}/${label}`).permutation(all.length), (i) => all[i] ?? 0),
  );
}

import type { ImageSize } from "../util/image-size.js";

/** Images and labels of one split, decoded, in memory. */
export interface ImageSet {
  /** `[N, H, W, 3]` row-major, RGB, 0 to 255. */
  readonly images: Uint8Array;
  /** `[N]` positions in `classNames`. */
  readonly labels: Int32Array;
  /** `[N]` original index: the file name's number where all are numbers and none comes twice, else a running number. */
  readonly ids: Int32Array;
  readonly size: ImageSize;
  /** `[K]` */
  readonly classNames: readonly string[];
  /** `[N]` image folders: each file, relative to the split's folder. */
  readonly paths?: readonly string[];
  /** `[N]` C-scores, 1 = typical, 0 = atypical, NaN where unknown. */
  readonly cScores?: Float32Array;
  /** `[N]` CIFAR-100: positions in its 20 superclasses. */
  readonly coarseLabels?: Int32Array;
}

/** A file that was left out, and why. */
export interface SkippedFile {
  readonly file: string;
  readonly reason: string;
}

/** A training and a test split over the same classes. */
export interface Dataset {
  readonly name: string;
  /** SHA-256 of the decoded content (images, labels, ids, class names): the same data has the same hash anywhere. */
  readonly hash: string;
  readonly train: ImageSet;
  readonly test: ImageSet;
  readonly skipped: readonly SkippedFile[];
}

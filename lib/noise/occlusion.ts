import type { ImageSize } from "../util/image-size.js";
import type { RandomStream } from "../util/random.js";
import { drawStream, type Noise } from "./noise.js";
import { noisePatchSide, randomPatch } from "./patch.js";

/**
 * A copy of the image with one randomly placed patch of `patch` x `patch` pixels set to zero; the patch lies
 * wholly inside. On normalised images zero is the training set's mean colour.
 *
 * `image` `[H, W, C]`. Takes two values of `stream`. Throws a UserError for a patch larger than the image.
 */
export function occlude(
  image: Float32Array,
  size: ImageSize,
  patch: number,
  stream: RandomStream,
): Float32Array {
  const occluded = image.slice();
  occludeInPlace(occluded, size, patch, stream);
  return occluded;
}

/** As `occlude`, on the image itself: for batches that are already the caller's own copy. */
export function occludeInPlace(
  image: Float32Array,
  size: ImageSize,
  patch: number,
  stream: RandomStream,
): void {
  const { top, left, side } = randomPatch(size, patch, stream);
  const channels = image.length / (size.height * size.width);
  for (let y = top; y < top + side; y++) {
    const start = (y * size.width + left) * channels;
    image.fill(0, start, start + side * channels);
  }
}

/** Occlusion: a patch of half the side (16 pixels of 32) set to zero. */
export const occlusion: Noise = (image, size, draw) =>
  occlude(image, size, noisePatchSide(size), drawStream("occlusion", draw));

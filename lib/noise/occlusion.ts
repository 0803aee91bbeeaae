import { UserError } from "../util/errors.js";
import type { RandomStream } from "../util/random.js";

interface Size {
  readonly height: number;
  readonly width: number;
}

/**
 * A copy of the image with one randomly placed patch of `patch` x `patch` pixels set to zero; the patch lies
 * wholly inside. On normalised images zero is the training set's mean colour.
 *
 * `image` `[H, W, C]`. Takes two values of `stream`. Throws a UserError for a patch larger than the image.
 */
export function occlude(image: Float32Array, size: Size, patch: number, stream: RandomStream): Float32Array {
  const occluded = image.slice();
  occludeInPlace(occluded, size, patch, stream);
  return occluded;
}

/** As `occlude`, on the image itself: for batches that are already the caller's own copy. */
export function occludeInPlace(image: Float32Array, size: Size, patch: number, stream: RandomStream): void {
  const { height, width } = size;
  if (patch > height || patch > width)
    throw new UserError(
      `the occlusion of ${patch} x ${patch} pixels is larger than the ${height} x ${width} image`,
    );
  const channels = image.length / (height * width);
  const top = stream.integer(height - patch + 1);
  const left = stream.integer(width - patch + 1);
  for (let y = top; y < top + patch; y++) {
    const start = (y * width + left) * channels;
    image.fill(0, start, start + patch * channels);
  }
}

import type { ImageSize } from "../util/image-size.js";
import { drawStream, type Noise } from "./noise.js";

/** Resolution: the image as it is, or the mean colour of squares of 2 or of 4 pixels' side, each a third of the time. */
export const resolution: Noise = coarsenedByOneOf([1, 2, 4]);

/** Resolution that never leaves the image as it is: squares of 2 or of 4 pixels' side, with equal probability. */
export const strongResolution: Noise = coarsenedByOneOf([2, 4]);

function coarsenedByOneOf(factors: readonly number[]): Noise {
  return (image, size, draw) =>
    coarsened(image, size, factors[drawStream("resolution", draw).integer(factors.length)] as number);
}

/**
 * The image `[H, W, C]` average-pooled by `factor` and enlarged again by repetition: every pixel takes the mean of
 * its square of `factor` x `factor`; squares that the image's lower or right edge cuts are averaged over what is left.
 */
export function coarsened(image: Float32Array, { height, width }: ImageSize, factor: number): Float32Array {
  const channels = image.length / (height * width);
  const coarse = new Float32Array(image.length);
  for (let top = 0; top < height; top += factor) {
    const bottom = Math.min(top + factor, height);
    for (let left = 0; left < width; left += factor) {
      const right = Math.min(left + factor, width);
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let y = top; y < bottom; y++)
          for (let x = left; x < right; x++) sum += image[(y * width + x) * channels + c] as number;
        const mean = sum / ((bottom - top) * (right - left));
        for (let y = top; y < bottom; y++)
          for (let x = left; x < right; x++) coarse[(y * width + x) * channels + c] = mean;
      }
    }
  }
  return coarse;
}

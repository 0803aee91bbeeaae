import type { ImageSize } from "../datasets/dataset.js";
import { drawStream, type Noise } from "./noise.js";

const FACTORS = [2, 4] as const;

/** Resolution: the mean colour of squares of 2 or of 4 pixels' side, with equal probability. */
export const resolution: Noise = (image, size, draw) =>
  coarsened(image, size, FACTORS[drawStream("resolution", draw).integer(FACTORS.length)] as number);

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

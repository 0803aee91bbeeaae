import type { ImageSize } from "../datasets/dataset.js";
import { drawStream, type Noise } from "./noise.js";
import { noisePatchSide, type Patch, randomPatch } from "./patch.js";

/** Standard deviation of the blur as a share of the image's side: 1 pixel of 32. */
const BLUR = 1 / 32;

/** Focus: blurred everywhere but in a randomly placed patch of half the side (16 pixels of 32). */
export const focus: Noise = (image, size, draw) => {
  const patch = randomPatch(size, noisePatchSide(size), drawStream("focus", draw));
  return focusOn(image, size, patch, BLUR * Math.min(size.height, size.width));
};

/** The image `[H, W, C]` as it is inside the patch, and blurred by `sigma` pixels outside. */
export function focusOn(
  image: Float32Array,
  size: ImageSize,
  { top, left, side }: Patch,
  sigma: number,
): Float32Array {
  const blurred = gaussianBlur(image, size, sigma);
  const channels = image.length / (size.height * size.width);
  for (let y = top; y < top + side; y++) {
    const start = (y * size.width + left) * channels;
    blurred.set(image.subarray(start, start + side * channels), start);
  }
  return blurred;
}

/**
 * Gaussian blur of an image `[H, W, C]`, first along rows and then along columns, edges repeated:
 *
 *     blurred[x] = Σ_k w[k] image[x + k],   w[k] = exp(-k²/2σ²) / Σ_j exp(-j²/2σ²),   |k| <= ceil(3σ)
 *
 * `sigma` in pixels.
 */
export function gaussianBlur(image: Float32Array, { height, width }: ImageSize, sigma: number): Float32Array {
  const weights = gaussianWeights(sigma);
  const channels = image.length / (height * width);
  const alongRows = blurLines(image, weights, width, channels, height, width * channels, channels);
  return blurLines(alongRows, weights, height, width * channels, width, channels, channels);
}

/** The weights of -radius .. radius; they sum to 1. */
function gaussianWeights(sigma: number): Float64Array {
  const radius = Math.ceil(3 * sigma);
  const weights = Float64Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-((i - radius) ** 2) / (2 * sigma * sigma)),
  );
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

/** Blurs `lines` lines of `length` pixels; neighbours on a line are `step` values apart, lines `lineStep` values. */
function blurLines(
  image: Float32Array,
  weights: Float64Array,
  length: number,
  step: number,
  lines: number,
  lineStep: number,
  channels: number,
): Float32Array {
  const taps = weights.length;
  const radius = (taps - 1) / 2;
  const neighbours = Int32Array.from(
    { length: length * taps },
    (_, i) => Math.min(Math.max(Math.floor(i / taps) + (i % taps) - radius, 0), length - 1) * step,
  );
  const blurred = new Float32Array(image.length);
  for (let line = 0; line < lines; line++) {
    for (let c = 0; c < channels; c++) {
      const start = line * lineStep + c;
      for (let x = 0, near = 0; x < length; x++) {
        let sum = 0;
        for (let k = 0; k < taps; k++, near++)
          sum += (weights[k] as number) * (image[start + (neighbours[near] as number)] as number);
        blurred[start + x * step] = sum;
      }
    }
  }
  return blurred;
}

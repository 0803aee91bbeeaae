import type { ImageSize } from "../util/image-size.js";
import { drawStream, type Noise } from "./noise.js";
import { noisePatchSide, type Patch, randomPatch } from "./patch.js";

/** Focus: blurred by 0.56 pixels of 32 everywhere but in a randomly placed patch of half the side (16 pixels of 32). */
export const focus: Noise = blurredBy(0.56 / 32);

/** Focus with a stronger blur than the published one: 1 pixel of 32. */
export const strongFocus: Noise = blurredBy(1 / 32);

/** `blur`: its standard deviation as a share of the image's side. */
function blurredBy(blur: number): Noise {
  return (image, size, draw) => {
    const patch = randomPatch(size, noisePatchSide(size), drawStream("focus", draw));
    return focusOn(image, size, patch, blur * Math.min(size.height, size.width));
  };
}

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
  return blurredDown(blurredAcross(image, weights, width, channels), weights, width * channels);
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

/** Blurs rows of `width` pixels along themselves. */
function blurredAcross(
  image: Float32Array,
  weights: Float64Array,
  width: number,
  channels: number,
): Float32Array {
  const radius = (weights.length - 1) / 2;
  const row = width * channels;
  const padded = new Float32Array(row + 2 * radius * channels);
  const blurred = new Float32Array(image.length);
  for (let start = 0; start < image.length; start += row) {
    for (let x = -radius, to = 0; x < width + radius; x++) {
      const from = start + Math.min(Math.max(x, 0), width - 1) * channels;
      for (let c = 0; c < channels; c++) padded[to++] = image[from + c] as number;
    }
    for (const [k, weight] of weights.entries()) addScaled(blurred, start, padded, k * channels, row, weight);
  }
  return blurred;
}

/** Blurs columns along themselves; a row is `row` values long. */
function blurredDown(image: Float32Array, weights: Float64Array, row: number): Float32Array {
  const radius = (weights.length - 1) / 2;
  const last = image.length - row;
  const blurred = new Float32Array(image.length);
  for (let start = 0; start <= last; start += row)
    for (const [k, weight] of weights.entries()) {
      const from = Math.min(Math.max(start + (k - radius) * row, 0), last);
      addScaled(blurred, start, image, from, row, weight);
    }
  return blurred;
}

/** sum[i] += weight values[i] for `count` values from given places on. */
function addScaled(
  sum: Float32Array,
  to: number,
  values: Float32Array,
  from: number,
  count: number,
  weight: number,
): void {
  for (let i = 0; i < count; i++)
    sum[to + i] = (sum[to + i] as number) + weight * (values[from + i] as number);
}

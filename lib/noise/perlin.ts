import type { ImageSize } from "../util/image-size.js";
import type { RandomStream } from "../util/random.js";
import { drawStream, type Noise } from "./noise.js";

/** Cells of the gradient lattice along each side of the image. */
const CELLS = 5;
/** Share of the pixels that are set to zero. */
const MASKED = 0.4;

/** Perlin: cloudy blotches over 40 % of the image set to zero, the mean colour of normalised images. */
export const perlin: Noise = (image, size, draw) => {
  const heights = gradientNoise(size, CELLS, drawStream("perlin", draw));
  const sealevel = levelAbove(heights, MASKED);
  const channels = image.length / heights.length;
  const masked = image.slice();
  for (let pixel = 0; pixel < heights.length; pixel++)
    if ((heights[pixel] as number) >= sealevel) masked.fill(0, pixel * channels, (pixel + 1) * channels);
  return masked;
};

/**
 * Gradient noise (Perlin 2002) at the centre of each pixel, `[H, W]`. Each point of a lattice of `cells` x `cells`
 * cells has a random unit gradient g, and between the four corners p of its cell, with f(s) = 6s⁵ - 15s⁴ + 10s³,
 *
 *     noise(x) = Σ_p w_p(x) g_p · (x - p),   w_p(x) = Π_axes (1 - f(|x - p|))
 *
 * Takes (cells + 1)² values of `stream`.
 */
export function gradientNoise(
  { height, width }: ImageSize,
  cells: number,
  stream: RandomStream,
): Float32Array {
  const points = cells + 1;
  const gradientX = new Float64Array(points * points);
  const gradientY = new Float64Array(points * points);
  for (let p = 0; p < points * points; p++) {
    const angle = 2 * Math.PI * stream.uniform();
    gradientX[p] = Math.cos(angle);
    gradientY[p] = Math.sin(angle);
  }
  const noise = new Float32Array(height * width);
  for (let row = 0; row < height; row++) {
    const v = ((row + 0.5) * cells) / height;
    const y = v % 1;
    const fadeY = fade(y);
    for (let column = 0; column < width; column++) {
      const u = ((column + 0.5) * cells) / width;
      const x = u % 1;
      const fadeX = fade(x);
      const p = Math.floor(v) * points + Math.floor(u);
      const q = p + points;
      const topLeft = (gradientX[p] as number) * x + (gradientY[p] as number) * y;
      const topRight = (gradientX[p + 1] as number) * (x - 1) + (gradientY[p + 1] as number) * y;
      const bottomLeft = (gradientX[q] as number) * x + (gradientY[q] as number) * (y - 1);
      const bottomRight = (gradientX[q + 1] as number) * (x - 1) + (gradientY[q + 1] as number) * (y - 1);
      const top = topLeft + fadeX * (topRight - topLeft);
      const bottom = bottomLeft + fadeX * (bottomRight - bottomLeft);
      noise[row * width + column] = top + fadeY * (bottom - top);
    }
  }
  return noise;
}

function fade(s: number): number {
  return s * s * s * (s * (6 * s - 15) + 10);
}

/** The value that the largest `share` of the values reach. */
function levelAbove(values: Float32Array, share: number): number {
  const sorted = values.slice().sort();
  return sorted[sorted.length - Math.round(share * sorted.length)] ?? Infinity;
}

import type { ImageSize } from "../util/image-size.js";
import { randomStream } from "../util/random.js";
import { type Noise, type NoiseDraw } from "./noise.js";

/** Pixels that the image's content has moved. */
export interface Offset {
  readonly down: number;
  readonly right: number;
}

/** Farthest move in either direction: 8 pixels of 32, a quarter of the shorter side. */
function farthestOffset({ height, width }: ImageSize): number {
  return Math.round(Math.min(height, width) / 4);
}

/**
 * Translation: the image at place t of a random walk that begins at the centre, as published. Frames of following
 * timesteps are one step apart. A draw that is held for all timesteps is uniform.
 */
export const translation: Noise = (image, size, draw) =>
  translated(image, size, walkOffset(farthestOffset(size), draw, draw.held === true ? "anywhere" : "centre"));

/** Translation by a walk that begins anywhere: on average it goes farther than the published one. */
export const strongTranslation: Noise = (image, size, draw) =>
  translated(image, size, walkOffset(farthestOffset(size), draw, "anywhere"));

/**
 * Place t of a random walk of each axis within -farthest .. farthest:
 *
 *     offset[0] = 0 or uniform,   offset[t] = clamp(offset[t-1] ± 1)
 *
 * A walk that begins anywhere begins in its stationary distribution, so every place of it, taken by itself, is uniform:
 * one offset held for all timesteps disturbs as much as the walk does.
 */
export function walkOffset(
  farthest: number,
  { seed, id, t }: NoiseDraw,
  start: "centre" | "anywhere",
): Offset {
  const stream = randomStream(seed, `noise/translation/${id}`);
  const begin = (): number => (start === "centre" ? 0 : stream.integer(2 * farthest + 1) - farthest);
  let down = begin();
  let right = begin();
  for (let step = 0; step < t; step++) {
    down = clamp(down + 2 * stream.integer(2) - 1, -farthest, farthest);
    right = clamp(right + 2 * stream.integer(2) - 1, -farthest, farthest);
  }
  return { down, right };
}

/** The image `[H, W, C]` moved by whole pixels; what comes in at an edge repeats the edge. */
export function translated(
  image: Float32Array,
  { height, width }: ImageSize,
  { down, right }: Offset,
): Float32Array {
  const channels = image.length / (height * width);
  const moved = new Float32Array(image.length);
  let to = 0;
  for (let y = 0; y < height; y++) {
    const row = clamp(y - down, 0, height - 1) * width;
    for (let x = 0; x < width; x++) {
      const from = (row + clamp(x - right, 0, width - 1)) * channels;
      for (let c = 0; c < channels; c++) moved[to++] = image[from + c] as number;
    }
  }
  return moved;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

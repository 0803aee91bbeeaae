import { UserError } from "../util/errors.js";
import { type ImageSize, valuesPerImage } from "../util/image-size.js";

/** The largest image that is decoded, and what those that are decoded at one time may have together. */
export const MAX_PIXELS = 2 ** 26;

/** A fault of the set of images, not of one that could be skipped. */
export class SetError extends UserError {}

export function assertSize(
  file: string,
  found: ImageSize,
  { file: first, size: { height, width } }: { readonly file: string; readonly size: ImageSize },
): void {
  if (found.height === height && found.width === width) return;
  throw new SetError(
    `image ${file} has ${found.height} x ${found.width} pixels, but ${first} has ` +
      `${height} x ${width}; give a size that all are resized to`,
  );
}

/** Images that shrink more, all in all, are made to fill the memory: a black photograph has some 200 bytes for one. */
const MAX_EXPANSION = 200;
const EXPANSION_FREE_BYTES = 256 * 2 ** 20;

/** Counts what images take stored and decoded. */
export class Expansion {
  #stored = 0;
  #decoded = 0;

  /** Counts an image before it is decoded; a UserError where all so far decode to more than any real ones. */
  add(bytes: number, size: ImageSize): void {
    this.#stored += bytes;
    this.#decoded += valuesPerImage(size);
    if (this.#decoded <= EXPANSION_FREE_BYTES + MAX_EXPANSION * this.#stored) return;
    throw new SetError(
      `the images decode to more than ${MAX_EXPANSION} times the size of their files; such a set is refused`,
    );
  }
}

/** Lets so many images be decoded at once that together they have no more pixels than the largest one may have. */
export class PixelRoom {
  #free = MAX_PIXELS;
  readonly #waiting: (() => void)[] = [];

  /** Waits for room; gives what returns it. */
  async take(pixels: number): Promise<() => void> {
    while (pixels > this.#free) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#free -= pixels;
    return () => {
      this.#free += pixels;
      for (const resolve of this.#waiting.splice(0)) resolve();
    };
  }
}

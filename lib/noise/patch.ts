import type { ImageSize } from "../util/image-size.js";
import { UserError } from "../util/errors.js";
import type { RandomStream } from "../util/random.js";

/** A square of `side` x `side` pixels. */
export interface Patch {
  readonly top: number;
  readonly left: number;
  readonly side: number;
}

/** Side of the noises' patch: 16 pixels of 32, half of the shorter side. */
export function noisePatchSide({ height, width }: ImageSize): number {
  return Math.round(Math.min(height, width) / 2);
}

/** A patch at a random place wholly inside the image; takes two values of `stream`. A UserError if it does not fit. */
export function randomPatch({ height, width }: ImageSize, side: number, stream: RandomStream): Patch {
  if (side > height || side > width)
    throw new UserError(
      `the patch of ${side} x ${side} pixels is larger than the ${height} x ${width} image; make it smaller`,
    );
  const top = stream.integer(height - side + 1);
  const left = stream.integer(width - side + 1);
  return { top, left, side };
}

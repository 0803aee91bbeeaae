import { UserError } from "../util/errors.js";
import type { ImageSet } from "./dataset.js";

/**
 * Images [N, H, W, 3] made smaller by a whole factor f = H / side:
 *
 *     y[i, j, c] = mean of x[f i + a, f j + b, c] over 0 <= a, b < f, rounded
 *
 * Images of that size are given back as they are. A UserError, which begins with `where`, for any other size.
 */
export function boxAveraged(set: ImageSet, side: number, where: string): ImageSet {
  const { height, width } = set.size;
  const factor = height / side;
  if (height !== width || !Number.isInteger(factor))
    throw new UserError(
      `${where} has images of ${height} x ${width} pixels, which do not divide into ${side} x ${side}`,
    );
  if (factor === 1) return set;
  const count = set.labels.length;
  const images = new Uint8Array(count * side * side * 3);
  const row = width * 3;
  for (let to = 0; to < images.length; to++) {
    const channel = to % 3;
    const position = (to - channel) / 3;
    const j = position % side;
    const i = ((position - j) / side) % side;
    const n = Math.floor(position / (side * side));
    const from = n * height * row + factor * i * row + factor * j * 3 + channel;
    let sum = 0;
    for (let a = 0; a < factor; a++)
      for (let b = 0; b < factor; b++) sum += set.images[from + a * row + b * 3] as number;
    images[to] = Math.round(sum / factor ** 2);
  }
  return { ...set, images, size: { height: side, width: side } };
}

import type { ImageSize } from "../util/image-size.js";
import { drawStream, type Noise } from "./noise.js";

const FARTHEST_DEGREES = 60;

/** Rotation: by an angle uniform within ±60 degrees. */
export const rotation: Noise = (image, size, draw) =>
  rotated(image, size, FARTHEST_DEGREES * (2 * drawStream("rotation", draw).uniform() - 1));

/**
 * The image `[H, W, C]` turned counter-clockwise about its centre by `degrees`. Between pixels it is bilinear; what
 * lies outside the image is filled with its nearest edge pixel, as the published code does by padding.
 */
export function rotated(image: Float32Array, { height, width }: ImageSize, degrees: number): Float32Array {
  const channels = image.length / (height * width);
  const turned = new Float32Array(image.length);
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [middleY, middleX] = [(height - 1) / 2, (width - 1) / 2];
  let to = 0;
  for (let row = 0; row < height; row++) {
    const y = row - middleY;
    for (let column = 0; column < width; column++) {
      const x = column - middleX;
      // Where this pixel was before the turn; rows count downwards.
      const fromX = Math.min(Math.max(cos * x - sin * y + middleX, 0), width - 1);
      const fromY = Math.min(Math.max(sin * x + cos * y + middleY, 0), height - 1);
      const left = Math.floor(fromX);
      const top = Math.floor(fromY);
      const shareX = fromX - left;
      const shareY = fromY - top;
      const corner = (top * width + left) * channels;
      const right = left < width - 1 ? channels : 0;
      const down = top < height - 1 ? width * channels : 0;
      for (let c = corner; c < corner + channels; c++) {
        const above = (1 - shareX) * (image[c] as number) + shareX * (image[c + right] as number);
        const below =
          (1 - shareX) * (image[c + down] as number) + shareX * (image[c + down + right] as number);
        turned[to++] = (1 - shareY) * above + shareY * below;
      }
    }
  }
  return turned;
}

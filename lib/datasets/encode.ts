import sharp from "sharp";
import type { ImageSize } from "../util/image-size.js";

/**
 * One image, RGB `[H, W, 3]` of 0 to 255, as a PNG in a data URI, for pages and figures that carry their pictures.
 * Each pixel is repeated `enlarge` times each way, so that viewers that smooth what they enlarge show the pixels.
 */
export async function pngDataUri(
  pixels: Uint8Array,
  { height, width }: ImageSize,
  enlarge = 1,
): Promise<string> {
  const png = await sharp(pixels, { raw: { height, width, channels: 3 } })
    .resize(enlarge * width, enlarge * height, { kernel: "nearest" })
    .png()
    .toBuffer();
  return `data:image/png;base64,${png.toString("base64")}`;
}

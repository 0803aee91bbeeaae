import sharp from "sharp";
import type { ImageSize } from "./dataset.js";

/** One image, RGB `[H, W, 3]` of 0 to 255, as a PNG in a data URI, for pages and figures that carry their pictures. */
export async function pngDataUri(pixels: Uint8Array, { height, width }: ImageSize): Promise<string> {
  const png = await sharp(pixels, { raw: { height, width, channels: 3 } })
    .png()
    .toBuffer();
  return `data:image/png;base64,${png.toString("base64")}`;
}

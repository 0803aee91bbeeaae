import sharp from "sharp";
import { type ImageSet, valuesPerImage } from "./dataset.js";

/**
 * Image n of a set as the data URI of a PNG, each pixel repeated `enlarge` times each way, so that viewers that
 * smooth what they enlarge show the pixels.
 */
export async function pngDataUri({ images, size }: ImageSet, n: number, enlarge = 1): Promise<string> {
  const values = valuesPerImage(size);
  const { height, width } = size;
  const pixels = images.subarray(n * values, (n + 1) * values);
  const png = await sharp(pixels, { raw: { height, width, channels: 3 } })
    .resize(enlarge * width, enlarge * height, { kernel: "nearest" })
    .png({ compressionLevel: 9 })
    .toBuffer();
  return `data:image/png;base64,${png.toString("base64")}`;
}

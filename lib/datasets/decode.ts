import { constants } from "node:buffer";
import sharp from "sharp";
import { UserError } from "../util/errors.js";
import type { SkippedFile } from "./dataset.js";
import { type ImageSize, valuesPerImage } from "../util/image-size.js";
import { usableMemory } from "../util/machine-share.mjs";
import { assertSize, Expansion, MAX_PIXELS, PixelRoom, SetError } from "./decode-limits.js";
import type { OnProgress } from "./progress.js";

/** An image file on its way to be decoded into place `index`. */
export interface EncodedImage {
  readonly index: number;
  /** As named in messages. */
  readonly file: string;
  readonly read: () => Promise<Buffer>;
}

export interface DecodedImages {
  /** `[M, H, W, 3]`, the images that could be decoded, in order of `index`. */
  readonly images: Uint8Array;
  /** `[M]` their indices. */
  readonly indices: Int32Array;
  readonly size: ImageSize;
  readonly skipped: readonly SkippedFile[];
}

export interface DecodeOptions {
  /** Side to resize to; by default the first image's size, which all must have. */
  readonly size?: ImageSize | undefined;
  readonly onBroken: "fail" | "skip";
  readonly onProgress?: OnProgress | undefined;
}

/** What decides the pixels besides the files: other versions may round otherwise. */
export const DECODER: Readonly<Record<string, string | undefined>> = sharp.versions;

/** Enough to keep every core busy while files are read. */
const IN_FLIGHT = 16;
const MAX_FILE_BYTES = 64 * 2 ** 20;
/** Progress is told once for this many images. */
const PROGRESS_STEP = 250;

/**
 * Decodes `count` JPEG and PNG images to RGB, a few at a time.
 *
 * Throws a UserError that names the file for an image of another size than the first (unless `size` is given)
 * and, with `onBroken: "fail"`, for one that cannot be decoded.
 */
export async function decodeImages(
  encoded: AsyncIterable<EncodedImage> | Iterable<EncodedImage>,
  count: number,
  options: DecodeOptions,
): Promise<DecodedImages> {
  if (options.size !== undefined) assertRoom(count, options.size);
  let target: { readonly size: ImageSize; readonly images: Uint8Array; readonly file: string } | undefined;
  const skipped: SkippedFile[] = [];
  const isDecoded = new Uint8Array(count);
  const inFlight = new Set<Promise<void>>();
  const expansion = new Expansion();
  const room = new PixelRoom();
  const failures: { readonly index: number; readonly error: unknown }[] = [];
  let done = 0;

  const place = async (image: EncodedImage): Promise<void> => {
    const decoded = await decodeImage(image, options.size, async (bytes, size) => {
      if (target !== undefined && options.size === undefined) assertSize(image.file, size, target);
      expansion.add(bytes, size);
      return room.take(size.height * size.width);
    }).catch((error: unknown) => {
      if (error instanceof SetError) throw error;
      if (options.onBroken === "fail")
        throw new UserError(
          `cannot decode image ${image.file}: ${reasonOf(error)}; mend or remove it, or have broken files skipped`,
          { cause: error },
        );
      skipped.push({ file: image.file, reason: reasonOf(error) });
    });
    if (decoded !== undefined) {
      target ??= { size: decoded.size, images: roomFor(count, decoded.size), file: image.file };
      assertSize(image.file, decoded.size, target);
      target.images.set(decoded.pixels, image.index * valuesPerImage(target.size));
      isDecoded[image.index] = 1;
    }
    done++;
    if (done % PROGRESS_STEP === 0 || done === count)
      options.onProgress?.({ stage: "decode", done, total: count, unit: "images" });
  };

  for await (const image of encoded) {
    const task: Promise<void> = place(image)
      .catch((error: unknown) => failures.push({ index: image.index, error }))
      .then(() => void inFlight.delete(task));
    inFlight.add(task);
    // The first image goes alone: its size is the one that the others must have.
    if (target === undefined) await task;
    else if (inFlight.size >= IN_FLIGHT) await Promise.race(inFlight);
    if (failures.length > 0) break;
  }
  await Promise.all(inFlight);
  // Of several, the same one every time: the first in order, whichever was decoded first.
  const [failure] = failures.sort((a, b) => a.index - b.index);
  if (failure !== undefined) throw failure.error;
  if (target === undefined)
    throw new UserError(`none of the ${count} images could be decoded, ${describe(skipped[0])}`);
  skipped.sort((a, b) => (a.file < b.file ? -1 : 1));
  return { ...compact(target.images, isDecoded, target.size), size: target.size, skipped };
}

/** Decides from the size of an image, stored and in pixels, whether and when it is decoded; gives what is called after. */
type Admission = (bytes: number, size: ImageSize) => Promise<() => void>;

/** Decodes one image to `H * W * 3` RGB values, resized to `size` if given. */
export async function decodeImage(
  image: Pick<EncodedImage, "read">,
  size?: ImageSize,
  admit: Admission = () => Promise.resolve(() => undefined),
): Promise<{ pixels: Uint8Array; size: ImageSize }> {
  const content = await image.read();
  if (content.length === 0) throw new UserError("the file is empty");
  if (content.length > MAX_FILE_BYTES)
    throw new UserError(`the file is larger than ${MAX_FILE_BYTES / 2 ** 20} MiB`);
  if (!isJpeg(content) && !isPng(content)) throw new UserError("its content is neither JPEG nor PNG");
  const leave = await admit(content.length, await announcedSize(content).catch(typed));
  try {
    return await decoded(content, size).catch(typed);
  } finally {
    leave();
  }
}

/** What the decoder says is of the file, and for people. */
function typed(error: unknown): never {
  throw error instanceof UserError ? error : new UserError(reasonOf(error), { cause: error });
}

/** The size that the header of an image gives, which costs no memory. */
async function announcedSize(content: Buffer): Promise<ImageSize> {
  const { height, width } = isPng(content)
    ? pngSize(content)
    : await sharp(content, { limitInputPixels: false }).metadata();
  if (height * width <= MAX_PIXELS) return { height, width };
  throw new UserError(`it has ${height} x ${width} pixels, more than ${MAX_PIXELS}`);
}

/** A PNG file begins with its header. */
function pngSize(content: Buffer): ImageSize {
  if (content.length < 24) throw new UserError("the file ends within its header");
  return { width: content.readUInt32BE(16), height: content.readUInt32BE(20) };
}

async function decoded(
  content: Buffer,
  size: ImageSize | undefined,
): Promise<{ pixels: Uint8Array; size: ImageSize }> {
  // One thread an image: the images themselves are decoded side by side.
  sharp.concurrency(1);
  const picture = sharp(content, { limitInputPixels: MAX_PIXELS, sequentialRead: true });
  if (size !== undefined) picture.resize(size.width, size.height, { fit: "fill", kernel: "lanczos3" });
  const { data, info } = await picture
    .removeAlpha()
    .toColourspace("srgb")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  return { pixels: data, size: { height: info.height, width: info.width } };
}

function isJpeg(content: Buffer): boolean {
  return content[0] === 0xff && content[1] === 0xd8 && content[2] === 0xff;
}

function isPng(content: Buffer): boolean {
  return content.subarray(0, 8).equals(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]));
}

function roomFor(count: number, size: ImageSize): Uint8Array {
  assertRoom(count, size);
  return new Uint8Array(count * valuesPerImage(size));
}

const GIB = 2 ** 30;

/** Throws a UserError where so many images cannot be held: a split lies decoded in memory, in one piece. */
function assertRoom(count: number, size: ImageSize): void {
  const bytes = count * valuesPerImage(size);
  const memory = usableMemory();
  if (bytes <= Math.min(memory, constants.MAX_LENGTH)) return;
  const limit =
    bytes > memory
      ? `this machine has ${(memory / GIB).toFixed(1)} GiB of memory`
      : `Node ${process.version} holds ${(constants.MAX_LENGTH / GIB).toFixed(1)} GiB in one piece (Node 22 more)`;
  throw new UserError(
    `${count} images of ${size.height} x ${size.width} pixels are ${(bytes / GIB).toFixed(1)} GiB, but ${limit}; ` +
      "give a smaller size (--size, or data.size in a spec)",
  );
}

/** Closes the gaps that skipped images left. */
function compact(
  images: Uint8Array,
  isDecoded: Uint8Array,
  size: ImageSize,
): Pick<DecodedImages, "images" | "indices"> {
  const values = valuesPerImage(size);
  const indices = Int32Array.from([...isDecoded.keys()].filter((i) => isDecoded[i] === 1));
  if (indices.length === isDecoded.length) return { images, indices };
  for (const [to, from] of indices.entries())
    images.copyWithin(to * values, from * values, (from + 1) * values);
  return { images: images.slice(0, indices.length * values), indices };
}

/** The first line of what a decoder or the file system says. */
function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";
}

function describe(first: SkippedFile | undefined): string {
  return first === undefined ? "there are no files" : `for example ${first.file}: ${first.reason}`;
}

import { occludeInPlace } from "../noise/occlusion.js";
import { UserError } from "../util/errors.js";
import { randomStream, type RandomStream } from "../util/random.js";
import type { ImageSet } from "./dataset.js";
import { type ImageSize, valuesPerImage } from "../util/image-size.js";
import type { ChannelStatistics } from "./statistics.js";

/** Random changes of each training image. */
export interface Augmentation {
  /** Pixels of black padding on every side, from which a window of the original size is cut; 0 for none. */
  readonly crop: number;
  /** Mirror left and right with probability 1/2. */
  readonly flip: boolean;
  /** Side in pixels of a patch set to zero after normalisation; 0 for none. */
  readonly occlusion: number;
}

export interface BatchOptions {
  readonly batchSize: number;
  readonly normalisation: ChannelStatistics;
  /** A new order in each epoch; without it the set's own order. */
  readonly shuffle: boolean;
  readonly augmentation?: Augmentation;
  readonly seed: number;
  readonly epoch: number;
  /** First batch to yield, to go on within an epoch. */
  readonly startBatch?: number;
  /** Leave out the last batch when it is not full. */
  readonly dropLast: boolean;
}

export interface Batch {
  /** `[B, H, W, 3]`, normalised. */
  readonly images: Float32Array;
  /** `[B]` */
  readonly labels: Int32Array;
  /** `[B]` positions in the image set. */
  readonly indices: Int32Array;
}

/** Number of batches in an epoch over `examples` examples. */
export function batchesPerEpoch(
  examples: number,
  { batchSize, dropLast }: Pick<BatchOptions, "batchSize" | "dropLast">,
): number {
  return dropLast ? Math.floor(examples / batchSize) : Math.ceil(examples / batchSize);
}

/**
 * The batches of one epoch: x = (pixel / 255 - mean_c) / std_c, cropped, flipped, occluded.
 *
 * Batch b of epoch e is a function of (seed, e, b) alone: the order comes from the stream `shuffle/e`, the
 * changes from `augment/e/b`, so that a resumed epoch goes on with the very batches it would have had.
 *
 * It is synchronous on purpose: the decoded images are in memory, and filling a batch is one table look-up per
 * value, little beside the training step that follows; a worker would have to hand over the same bytes.
 *
 * Throws a UserError for a batch size below 1 or an empty epoch.
 */
export function* epochBatches(set: ImageSet, options: BatchOptions): Generator<Batch> {
  const { batchSize, seed, epoch } = options;
  const examples = set.labels.length;
  if (!Number.isInteger(batchSize) || batchSize < 1)
    throw new UserError(`the batch size is ${batchSize}, allowed is 1 or more`);
  const batches = batchesPerEpoch(examples, options);
  if (batches === 0) throw new UserError(`${examples} examples do not fill one batch of ${batchSize}`);
  const order = options.shuffle
    ? randomStream(seed, `shuffle/${epoch}`).permutation(examples)
    : Int32Array.from({ length: examples }, (_, n) => n);
  const tables = normalisationTables(options.normalisation);
  for (let b = options.startBatch ?? 0; b < batches; b++) {
    const indices = order.slice(b * batchSize, (b + 1) * batchSize);
    const images =
      options.augmentation === undefined
        ? normalisedImages(set, indices, tables)
        : augmentedImages(
            set,
            indices,
            tables,
            options.augmentation,
            randomStream(seed, `augment/${epoch}/${b}`),
          );
    yield { images, labels: indices.map((n) => set.labels[n] ?? 0), indices };
  }
}

/** One image as a network takes it: pixels `[H, W, 3]` of 0 to 255 -> (pixel / 255 - mean_c) / std_c. */
export function normalisedImage(pixels: Uint8Array, normalisation: ChannelStatistics): Float32Array {
  const tables = normalisationTables(normalisation);
  return Float32Array.from(pixels, (value, i) => tables[(i % 3) as 0 | 1 | 2][value] as number);
}

/** The way back, for showing what a network sees: values `[H, W, 3]` -> pixels of 0 to 255, rounded. */
export function displayedPixels(image: Float32Array, { mean, std }: ChannelStatistics): Uint8ClampedArray {
  return Uint8ClampedArray.from(image, (value, i) => {
    const c = (i % 3) as 0 | 1 | 2;
    return 255 * (value * scaleOf(std[c]) + mean[c]);
  });
}

/** A channel without variation carries nothing: it is only centred. */
function scaleOf(deviation: number): number {
  return deviation > 0 ? deviation : 1;
}

/** For each channel the normalised value of each of the 256 pixel values. */
type NormalisationTables = readonly [Float32Array, Float32Array, Float32Array];

function normalisationTables({ mean, std }: ChannelStatistics): NormalisationTables {
  const table = (c: 0 | 1 | 2) => {
    const scale = scaleOf(std[c]);
    return Float32Array.from({ length: 256 }, (_, value) => (value / 255 - mean[c]) / scale);
  };
  return [table(0), table(1), table(2)];
}

function normalisedImages(
  set: ImageSet,
  indices: Int32Array,
  [red, green, blue]: NormalisationTables,
): Float32Array {
  const values = valuesPerImage(set.size);
  const { images } = set;
  const out = new Float32Array(indices.length * values);
  for (let i = 0, to = 0; i < indices.length; i++) {
    let from = (indices[i] as number) * values;
    for (const end = from + values; from < end; from += 3, to += 3) {
      out[to] = red[images[from] as number] as number;
      out[to + 1] = green[images[from + 1] as number] as number;
      out[to + 2] = blue[images[from + 2] as number] as number;
    }
  }
  return out;
}

function augmentedImages(
  set: ImageSet,
  indices: Int32Array,
  tables: NormalisationTables,
  { crop, flip, occlusion }: Augmentation,
  stream: RandomStream,
): Float32Array {
  const values = valuesPerImage(set.size);
  const out = new Float32Array(indices.length * values);
  for (let i = 0; i < indices.length; i++) {
    const start = (indices[i] as number) * values;
    const target = out.subarray(i * values, (i + 1) * values);
    const down = stream.integer(2 * crop + 1) - crop;
    const right = stream.integer(2 * crop + 1) - crop;
    const mirrored = flip && stream.uniform() < 0.5;
    copyWindow(set.images.subarray(start, start + values), target, set.size, down, right, mirrored, tables);
    if (occlusion > 0) occludeInPlace(target, set.size, occlusion, stream);
  }
  return out;
}

/** target[y, x] = source[y + down, x + right], black outside; mirrored: columns of the window in reverse. */
function copyWindow(
  source: Uint8Array,
  target: Float32Array,
  { height, width }: ImageSize,
  down: number,
  right: number,
  mirrored: boolean,
  [red, green, blue]: NormalisationTables,
): void {
  const [blackRed, blackGreen, blackBlue] = [red[0] as number, green[0] as number, blue[0] as number];
  const step = mirrored ? -3 : 3;
  for (let y = 0; y < height; y++) {
    const row = y + down;
    const inside = row >= 0 && row < height;
    let to = (y * width + (mirrored ? width - 1 : 0)) * 3;
    for (let x = right; x < right + width; x++, to += step) {
      if (inside && x >= 0 && x < width) {
        const from = (row * width + x) * 3;
        target[to] = red[source[from] as number] as number;
        target[to + 1] = green[source[from + 1] as number] as number;
        target[to + 2] = blue[source[from + 2] as number] as number;
      } else {
        target[to] = blackRed;
        target[to + 1] = blackGreen;
        target[to + 2] = blackBlue;
      }
    }
  }
}

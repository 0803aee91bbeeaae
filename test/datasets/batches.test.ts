import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  batchesPerEpoch,
  epochBatches,
  type Batch,
  type BatchOptions,
  displayedPixels,
  normalisedImage,
} from "../../lib/datasets/batches.js";
import { UserError } from "../../lib/util/errors.js";
import { randomStream } from "../../lib/util/random.js";

const [height, width, examples] = [6, 5, 23];
const values = height * width * 3;
const stream = randomStream(0, "pixels");
const set = {
  images: Uint8Array.from({ length: examples * values }, () => stream.integer(256)),
  labels: Int32Array.from({ length: examples }, (_, n) => n % 4),
  ids: Int32Array.from({ length: examples }, (_, n) => n),
  size: { height, width },
  classNames: ["a", "b", "c", "d"],
};
const normalisation = { mean: [0.5, 0.4, 0.3], std: [0.2, 0.25, 0.3] } as const;
const options: BatchOptions = {
  batchSize: 5,
  normalisation,
  shuffle: true,
  seed: 3,
  epoch: 2,
  dropLast: false,
};

/** Pixel (y, x, c) of example n, normalised; black outside the image. */
function pixel(n: number, y: number, x: number, c: 0 | 1 | 2): number {
  const inside = y >= 0 && y < height && x >= 0 && x < width;
  const value = inside ? (set.images[n * values + (y * width + x) * 3 + c] ?? 0) : 0;
  return Math.fround((value / 255 - normalisation.mean[c]) / normalisation.std[c]);
}

/** Brute force: every crop and mirror image of example n, as texts. */
function windows(n: number, crop: number, flips: readonly boolean[]): Set<string> {
  const found = new Set<string>();
  for (let dy = -crop; dy <= crop; dy++)
    for (let dx = -crop; dx <= crop; dx++)
      for (const flip of flips) {
        const window: number[] = [];
        for (let y = 0; y < height; y++)
          for (let x = 0; x < width; x++)
            for (const c of [0, 1, 2] as const)
              window.push(pixel(n, y + dy, (flip ? width - 1 - x : x) + dx, c));
        found.add(window.join());
      }
  return found;
}

const imagesOf = ({ images, indices }: Batch) =>
  Array.from(indices, (n, i) => ({ n, pixels: images.subarray(i * values, (i + 1) * values) }));

test("an epoch holds each example once, normalised, in an order of its own", () => {
  const batches = [...epochBatches(set, options)];
  assert.deepEqual(
    batches.map(({ labels }) => labels.length),
    [5, 5, 5, 5, 3],
  );
  const order = batches.flatMap(({ indices }) => [...indices]);
  assert.deepEqual(
    [...order].sort((a, b) => a - b),
    [...Array(examples).keys()],
  );
  for (const batch of batches) {
    assert.deepEqual(
      [...batch.labels],
      Array.from(batch.indices, (n) => n % 4),
    );
    for (const { n, pixels } of imagesOf(batch)) assert.ok(windows(n, 0, [false]).has([...pixels].join()));
  }
  const next = [...epochBatches(set, { ...options, epoch: 3 })].flatMap(({ indices }) => [...indices]);
  assert.notDeepEqual(next, order);
  const plain = [...epochBatches(set, { ...options, shuffle: false, dropLast: true })];
  assert.deepEqual(
    plain.flatMap(({ indices }) => [...indices]),
    [...Array(20).keys()],
  );
});

test("augmented images are windows of the padded image, mirrored or not; all kinds occur", () => {
  const augmentation = { crop: 2, flip: true, occlusion: 0 };
  const seen = new Set<string>();
  for (let epoch = 0; epoch < 60; epoch++)
    for (const batch of epochBatches(set, { ...options, augmentation, epoch }))
      for (const { n, pixels } of imagesOf(batch)) {
        const text = [...pixels].join();
        if (n === 0) seen.add(text);
        if (epoch < 3) assert.ok(windows(n, 2, [false, true]).has(text));
      }
  assert.ok(seen.size > 30, "60 draws from 50 windows");
});

test("occlusion sets one square to zero", () => {
  const augmentation = { crop: 0, flip: false, occlusion: 3 };
  for (const batch of epochBatches(set, { ...options, augmentation }))
    for (const { n, pixels } of imagesOf(batch)) {
      const zeros = [...pixels.keys()].filter((i) => pixels[i] === 0);
      assert.equal(zeros.length, 27);
      assert.ok(
        pixels.every(
          (value, i) =>
            value === 0 ||
            value === pixel(n, Math.floor(i / 15), Math.floor(i / 3) % 5, (i % 3) as 0 | 1 | 2),
        ),
      );
    }
});

test("batch b of epoch e is a function of seed, e and b alone: a resumed epoch goes on identically", () => {
  fc.assert(
    fc.property(
      fc.nat(1000),
      fc.nat(50),
      fc.integer({ min: 1, max: 25 }),
      fc.boolean(),
      (seed, epoch, batchSize, dropLast) => {
        const all = {
          ...options,
          seed,
          epoch,
          batchSize,
          dropLast,
          augmentation: { crop: 4, flip: true, occlusion: 2 },
        };
        const count = batchesPerEpoch(examples, all);
        if (count === 0) return;
        const batches = [...epochBatches(set, all)];
        assert.equal(batches.length, count);
        for (let startBatch = 0; startBatch <= count; startBatch++)
          assert.deepEqual([...epochBatches(set, { ...all, startBatch })], batches.slice(startBatch));
      },
    ),
    { numRuns: 20 },
  );
});

test("impossible batches are refused", () => {
  assert.throws(() => [...epochBatches(set, { ...options, batchSize: 0 })], UserError);
  assert.throws(
    () => [...epochBatches(set, { ...options, batchSize: 24, dropLast: true })],
    /23 examples do not fill one batch of 24/,
  );
  const augmentation = { crop: 0, flip: false, occlusion: 16 };
  assert.throws(
    () => [...epochBatches(set, { ...options, augmentation })],
    /16 x 16 pixels is larger than the 6 x 5/,
  );
});

test("what a network sees is shown as the pixels that it was made of, also in a channel without variation", () => {
  const pixels = Uint8Array.from({ length: 256 * 3 }, (_, i) => Math.floor(i / 3));
  const normalisation = { mean: [0.2, 0.5, 0.9], std: [0.3, 0, 0.01] } as const;
  const shown = displayedPixels(normalisedImage(pixels, normalisation), normalisation);
  assert.deepEqual([...shown], [...pixels]);
  assert.deepEqual([...displayedPixels(Float32Array.of(99, -99, 0), normalisation)], [255, 0, 230]);
});

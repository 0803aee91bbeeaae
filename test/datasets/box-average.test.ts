import assert from "node:assert/strict";
import { test } from "node:test";
import { boxAveraged } from "../../lib/datasets/box-average.js";
import type { ImageSet } from "../../lib/datasets/dataset.js";
import { randomStream } from "../../lib/util/random.js";
import { UserError } from "../../lib/util/errors.js";

function setOf(count: number, height: number, width: number): ImageSet {
  const random = randomStream(0, "pixels");
  return {
    images: Uint8Array.from({ length: count * height * width * 3 }, () => Math.floor(256 * random.uniform())),
    labels: Int32Array.from({ length: count }, (_, n) => n % 2),
    ids: Int32Array.from({ length: count }, (_, n) => n),
    size: { height, width },
    classNames: ["a", "b"],
  };
}

test("each pixel is the mean of its box, in every channel", () => {
  const set = setOf(2, 6, 6);
  const small = boxAveraged(set, 2, "the set");
  assert.deepEqual(small.size, { height: 2, width: 2 });
  const at = (n: number, y: number, x: number, c: number): number =>
    set.images[((n * 6 + y) * 6 + x) * 3 + c] as number;
  for (const n of [0, 1])
    for (const i of [0, 1])
      for (const j of [0, 1])
        for (const c of [0, 1, 2]) {
          const box = [0, 1, 2].flatMap((a) => [0, 1, 2].map((b) => at(n, 3 * i + a, 3 * j + b, c)));
          const mean = box.reduce((sum, value) => sum + value, 0) / 9;
          assert.equal(small.images[((n * 2 + i) * 2 + j) * 3 + c], Math.round(mean));
        }
  assert.deepEqual(small.labels, set.labels);
});

test("images of that size stay; others that do not divide are refused, with their sizes", () => {
  const set = setOf(1, 4, 4);
  assert.equal(boxAveraged(set, 4, "the set"), set);
  for (const other of [setOf(1, 6, 6), setOf(1, 4, 8), setOf(1, 2, 2)])
    assert.throws(
      () => boxAveraged(other, 4, "the set"),
      (error) => error instanceof UserError && /the set has images of \d x \d pixels/.test(error.message),
    );
});

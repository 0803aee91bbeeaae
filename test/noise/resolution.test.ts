import assert from "node:assert/strict";
import { test } from "node:test";
import { coarsened, resolution, strongResolution } from "../../lib/noise/resolution.js";
import { constantImage, gap, randomImage } from "./noisy-images.js";

test("every pixel takes the mean of its square, also of squares that the edge cuts", () => {
  const ramp = Float32Array.from({ length: 3 * 5 }, (_, i) => i);
  //   0  1 | 2  3 | 4
  //   5  6 | 7  8 | 9
  //  10 11 |12 13 |14
  assert.deepEqual(
    [...coarsened(ramp, { height: 3, width: 5 }, 2)],
    [3, 3, 5, 5, 6.5, 3, 3, 5, 5, 6.5, 10.5, 10.5, 12.5, 12.5, 14],
  );
});

test("one colour stays, a square's sum stays, and coarser twice is coarser once", () => {
  const size = { height: 16, width: 16 };
  const plain = constantImage(size);
  assert.deepEqual(coarsened(plain, size, 4), plain);
  const image = randomImage(size);
  const by4 = coarsened(image, size, 4);
  assert.ok(gap(coarsened(coarsened(image, size, 2), size, 4), by4) < 1e-6);
  assert.ok(gap(coarsened(by4, size, 4), by4) < 1e-6);
  const sum = (values: Float32Array): number => values.reduce((a, b) => a + b, 0);
  assert.ok(Math.abs(sum(by4) - sum(image)) < 1e-4);
});

test("as published the image stays or is pooled by 2 or by 4, each a third of the time; the strong noise always pools", () => {
  const size = { height: 8, width: 8 };
  const image = randomImage(size);
  const outcomes = [image, coarsened(image, size, 2), coarsened(image, size, 4)];
  for (const [noise, shares] of [
    [resolution, [1 / 3, 1 / 3, 1 / 3]],
    [strongResolution, [0, 1 / 2, 1 / 2]],
  ] as const) {
    const counts = [0, 0, 0];
    for (let id = 0; id < 600; id++) {
      const out = noise(image, size, { seed: 1, id, t: 0 });
      const which = outcomes.findIndex((outcome) => gap(out, outcome) === 0);
      counts[which] = (counts[which] ?? NaN) + 1;
    }
    // Five standard deviations of the binomial distribution.
    for (const [i, share] of shares.entries()) {
      const spread = 5 * Math.sqrt(600 * share * (1 - share));
      assert.ok(Math.abs((counts[i] ?? NaN) - 600 * share) <= spread, counts.join());
    }
  }
});

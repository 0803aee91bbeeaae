import assert from "node:assert/strict";
import { test } from "node:test";
import { coarsened, resolution } from "../../lib/noise/resolution.js";
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

test("the noise pools by 2 or by 4, each about half of the time", () => {
  const size = { height: 8, width: 8 };
  const image = randomImage(size);
  const [by2, by4] = [coarsened(image, size, 2), coarsened(image, size, 4)];
  let twos = 0;
  for (let id = 0; id < 400; id++) {
    const out = resolution(image, size, { seed: 1, id, t: 0 });
    const isTwo = gap(out, by2) === 0;
    assert.ok(isTwo || gap(out, by4) === 0);
    twos += Number(isTwo);
  }
  // Five standard deviations of the binomial distribution.
  assert.ok(Math.abs(twos - 200) < 50, `${twos} of 400`);
});

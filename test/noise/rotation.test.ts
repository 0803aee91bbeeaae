import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { rotated, rotation } from "../../lib/noise/rotation.js";
import { constantImage, gap, randomImage } from "./noisy-images.js";

const size = { height: 9, width: 9 };
const at = (y: number, x: number, c: number): number => (y * 9 + x) * 3 + c;

test("a quarter turn counter-clockwise takes the right column to the top row", () => {
  const image = randomImage(size);
  const turned = rotated(image, size, 90);
  const expected = image.slice();
  for (let y = 0; y < 9; y++)
    for (let x = 0; x < 9; x++)
      for (let c = 0; c < 3; c++) expected[at(8 - x, y, c)] = image[at(y, x, c)] as number;
  assert.ok(gap(turned, expected) < 1e-6);
  assert.ok(gap(rotated(turned, size, -90), image) < 1e-6);
  assert.deepEqual(rotated(image, size, 0), image);
});

test("a ramp turns into the turned ramp exactly, wherever no pixel from outside is needed", () => {
  fc.assert(
    fc.property(
      fc.double({ min: -60, max: 60, noNaN: true }),
      fc.double({ min: -2, max: 2, noNaN: true }),
      fc.double({ min: -2, max: 2, noNaN: true }),
      (degrees, slopeX, slopeY) => {
        const ramp = (slopesX: number, slopesY: number): Float32Array =>
          Float32Array.from({ length: 9 * 9 * 3 }, (_, i) => {
            const [y, x] = [Math.floor(i / 27) - 4, (Math.floor(i / 3) % 9) - 4];
            return slopesX * x + slopesY * y;
          });
        const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
        const turned = rotated(ramp(slopeX, slopeY), size, degrees);
        // value(turned back): slopes turn with the picture.
        const expected = ramp(slopeX * cos + slopeY * sin, slopeY * cos - slopeX * sin);
        for (let y = 0; y < 9; y++)
          for (let x = 0; x < 9; x++)
            if (Math.hypot(y - 4, x - 4) <= 4)
              assert.ok(Math.abs((turned[at(y, x, 0)] as number) - (expected[at(y, x, 0)] as number)) < 1e-4);
      },
    ),
  );
});

test("one colour stays; no value leaves the range of the image's, for the fill repeats its edge", () => {
  const plain = constantImage(size);
  const image = randomImage(size);
  const [least, most] = [Math.min(...image), Math.max(...image)];
  for (let t = 0; t < 20; t++) {
    assert.ok(gap(rotation(plain, size, { seed: 0, id: 1, t }), plain) < 1e-6);
    const out = rotation(image, size, { seed: 0, id: 1, t });
    assert.ok(out.every((value) => value >= least - 1e-6 && value <= most + 1e-6));
  }
  // An eighth of a turn: the corner lies above the middle of the upper edge, and takes its pixel.
  assert.ok(
    Math.abs((rotated(image, size, 45)[at(0, 0, 0)] as number) - (image[at(0, 4, 0)] as number)) < 1e-6,
  );
});

test("angles are spread over -60 to 60 degrees", () => {
  // A ramp to the right gains a downward slope of -sin(angle).
  const ramp = Float32Array.from({ length: 9 * 9 }, (_, i) => i % 9);
  const angles = Array.from({ length: 400 }, (_, id) => {
    const out = rotation(ramp, size, { seed: 3, id, t: 0 });
    return (Math.asin(-((out[5 * 9 + 4] as number) - (out[3 * 9 + 4] as number)) / 2) * 180) / Math.PI;
  });
  assert.ok(Math.max(...angles) <= 60.001 && Math.max(...angles) > 57);
  assert.ok(Math.min(...angles) >= -60.001 && Math.min(...angles) < -57);
  const middle = angles.reduce((a, b) => a + b, 0) / 400;
  // Five standard errors: 120 / sqrt(12 * 400) = 1.7.
  assert.ok(Math.abs(middle) < 8.7, `mean angle ${middle}`);
});

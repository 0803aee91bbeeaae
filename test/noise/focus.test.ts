import assert from "node:assert/strict";
import { test } from "node:test";
import { focus, focusOn, gaussianBlur, strongFocus } from "../../lib/noise/focus.js";
import { constantImage, gap, randomImage } from "./noisy-images.js";

const size = { height: 11, width: 9 };
const at = (y: number, x: number, c: number): number => (y * size.width + x) * 3 + c;

test("a point becomes the Gaussian that the equation says, in its own channel", () => {
  const point = new Float32Array(11 * 9 * 3);
  point[at(5, 4, 1)] = 1;
  const sigma = 0.8;
  const blurred = gaussianBlur(point, size, sigma);
  const weight = (k: number): number => (Math.abs(k) > 3 ? 0 : Math.exp((-k * k) / (2 * sigma * sigma)));
  const sum = [-3, -2, -1, 0, 1, 2, 3].reduce((total, k) => total + weight(k), 0);
  for (let y = 0; y < 11; y++)
    for (let x = 0; x < 9; x++)
      for (let c = 0; c < 3; c++) {
        const expected = c === 1 ? (weight(y - 5) * weight(x - 4)) / sum ** 2 : 0;
        assert.ok(Math.abs((blurred[at(y, x, c)] as number) - expected) < 1e-7, `${y}, ${x}, ${c}`);
      }
});

test("against a sum over the padded neighbourhood of every pixel, edges repeated", () => {
  const image = randomImage(size);
  const sigma = 1.1;
  const clamp = (value: number, most: number): number => Math.min(Math.max(value, 0), most);
  const blurred = gaussianBlur(image, size, sigma);
  const expected = image.map((_, i) => {
    const [y, x, c] = [Math.floor(i / 27), Math.floor(i / 3) % 9, i % 3];
    let [total, weights] = [0, 0];
    for (let down = -4; down <= 4; down++)
      for (let right = -4; right <= 4; right++) {
        const weight = Math.exp(-(down * down + right * right) / (2 * sigma * sigma));
        total += weight * (image[at(clamp(y + down, 10), clamp(x + right, 8), c)] as number);
        weights += weight;
      }
    return total / weights;
  });
  assert.ok(gap(blurred, expected) < 1e-6);
});

test("one colour stays as it is; the patch stays sharp and all around it is blurred", () => {
  const plain = constantImage(size);
  assert.ok(gap(gaussianBlur(plain, size, 1.3), plain) < 1e-6);
  const image = randomImage(size);
  const [blurred, focused] = [
    gaussianBlur(image, size, 1),
    focusOn(image, size, { top: 3, left: 5, side: 4 }, 1),
  ];
  for (let y = 0; y < 11; y++)
    for (let x = 0; x < 9; x++) {
      const inside = y >= 3 && y < 7 && x >= 5 && x < 9;
      for (let c = 0; c < 3; c++) assert.equal(focused[at(y, x, c)], (inside ? image : blurred)[at(y, x, c)]);
    }
});

test("the noise leaves a patch of half the side sharp", () => {
  const whole = { height: 32, width: 32 };
  const image = randomImage(whole);
  const sharp = (t: number): number => {
    const out = focus(image, whole, { seed: 3, id: 8, t });
    return out.filter((value, i) => value === image[i]).length;
  };
  for (let t = 0; t < 5; t++) assert.equal(sharp(t), 16 * 16 * 3);
  // Outside of it the blur is 0.56 pixels as published, or 1.
  const draw = { seed: 3, id: 8, t: 0 };
  for (const [noise, sigma] of [
    [focus, 0.56],
    [strongFocus, 1],
  ] as const) {
    const blurred = gaussianBlur(image, whole, sigma);
    const outside = noise(image, whole, draw).filter((value, i) => value !== image[i]);
    assert.deepEqual(
      outside,
      blurred.filter((_, i) => noise(image, whole, draw)[i] !== image[i]),
    );
  }
});

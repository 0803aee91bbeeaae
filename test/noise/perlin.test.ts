import assert from "node:assert/strict";
import { test } from "node:test";
import { gradientNoise, perlin } from "../../lib/noise/perlin.js";
import { randomStream } from "../../lib/util/random.js";
import { randomImage } from "./noisy-images.js";

test("40 % of the pixels, in all channels alike, are zero; the others stay", () => {
  for (const side of [16, 32]) {
    const size = { height: side, width: side };
    const image = randomImage(size);
    for (let t = 0; t < 5; t++) {
      const out = perlin(image, size, { seed: 1, id: 2, t });
      const masked = Array.from({ length: side * side }, (_, pixel) => {
        const values = out.subarray(3 * pixel, 3 * pixel + 3);
        const zeros = values.filter((value) => value === 0).length;
        assert.ok(zeros === 0 || zeros === 3);
        if (zeros === 0) assert.deepEqual(values, image.subarray(3 * pixel, 3 * pixel + 3));
        return zeros === 3;
      });
      assert.equal(masked.filter(Boolean).length, Math.round(0.4 * side * side));
    }
  }
});

test("at any point the four corners' slopes meet as in the equation", () => {
  const size = { height: 6, width: 8 };
  const cells = 3;
  const stream = randomStream(4, "gradients");
  const angles = Array.from({ length: 16 }, () => 2 * Math.PI * stream.uniform());
  const fade = (s: number): number => 6 * s ** 5 - 15 * s ** 4 + 10 * s ** 3;
  const noise = gradientNoise(size, cells, randomStream(4, "gradients"));
  for (const [i, value] of noise.entries()) {
    const [v, u] = [((Math.floor(i / 8) + 0.5) * cells) / 6, (((i % 8) + 0.5) * cells) / 8];
    let expected = 0;
    for (const py of [Math.floor(v), Math.floor(v) + 1])
      for (const px of [Math.floor(u), Math.floor(u) + 1]) {
        const angle = angles[py * 4 + px] ?? NaN;
        const weight = (1 - fade(Math.abs(v - py))) * (1 - fade(Math.abs(u - px)));
        expected += weight * (Math.cos(angle) * (u - px) + Math.sin(angle) * (v - py));
      }
    assert.ok(Math.abs(value - expected) < 1e-6);
  }
});

test("the mask hangs together: far fewer borders than 40 % of scattered pixels have", () => {
  const size = { height: 32, width: 32 };
  const image = randomImage(size);
  for (let id = 0; id < 10; id++) {
    const out = perlin(image, size, { seed: 0, id, t: 0 });
    let borders = 0;
    for (let y = 0; y < 32; y++)
      for (let x = 1; x < 32; x++)
        borders += Number((out[(y * 32 + x) * 3] === 0) !== (out[(y * 32 + x - 1) * 3] === 0));
    // Scattered: 2 * 0.4 * 0.6 of the 992 pairs, 476.
    assert.ok(borders > 0 && borders < 476 / 2, `${borders} borders`);
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { strongTranslation, translated, translation, walkOffset } from "../../lib/noise/translation.js";
import { constantImage, randomImage } from "./noisy-images.js";

const size = { height: 7, width: 6 };

test("pixel by pixel: moved content, repeated edges", () => {
  const image = randomImage(size);
  fc.assert(
    fc.property(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 }), (down, right) => {
      const moved = translated(image, size, { down, right });
      for (let y = 0; y < 7; y++)
        for (let x = 0; x < 6; x++)
          for (let c = 0; c < 3; c++) {
            const fromY = Math.min(Math.max(y - down, 0), 6);
            const fromX = Math.min(Math.max(x - right, 0), 5);
            assert.equal(moved[(y * 6 + x) * 3 + c], image[(fromY * 6 + fromX) * 3 + c]);
          }
    }),
  );
  assert.deepEqual(translated(constantImage(size), size, { down: 3, right: -2 }), constantImage(size));
});

test("the walk takes one step on each axis, or stays where a bound stops it, and never leaves its bounds", () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 8 }), (seed, id, farthest) => {
      const start = id % 2 === 0 ? "centre" : "anywhere";
      const walk = Array.from({ length: 30 }, (_, t) => walkOffset(farthest, { seed, id, t }, start));
      if (start === "centre") assert.deepEqual(walk[0], { down: 0, right: 0 });
      for (const axis of ["down", "right"] as const)
        for (const [t, offset] of walk.entries()) {
          assert.ok(Math.abs(offset[axis]) <= farthest);
          const before = walk[t - 1]?.[axis];
          if (before === undefined) continue;
          const step = offset[axis] - before;
          const stopped = step === 0 && Math.abs(before) === farthest;
          assert.ok(Math.abs(step) === 1 || stopped, `a step of ${step} from ${before}`);
        }
    }),
  );
});

test("every place of a walk that begins anywhere is uniform within the bounds, the first and the ninth alike", () => {
  for (const t of [0, 8]) {
    const counts = new Map<number, number>();
    const walks = 17 * 400;
    for (let id = 0; id < walks; id++) {
      const { right } = walkOffset(8, { seed: 2, id, t }, "anywhere");
      counts.set(right, (counts.get(right) ?? 0) + 1);
    }
    assert.equal(counts.size, 17);
    const chiSquared = [...counts.values()].reduce((sum, count) => sum + (count - 400) ** 2 / 400, 0);
    // 99.99 % point of chi-squared with 16 degrees of freedom.
    assert.ok(chiSquared < 45.9, `t = ${t}: ${chiSquared}`);
  }
});

test("the noise moves by at most a quarter of the side", () => {
  const whole = { height: 16, width: 16 };
  const image = randomImage(whole);
  for (let id = 0; id < 50; id++) {
    const draw = { seed: 5, id, t: 3 };
    const [walked, anywhere] = (["centre", "anywhere"] as const).map((start) => {
      const offset = walkOffset(4, draw, start);
      assert.ok(Math.max(Math.abs(offset.down), Math.abs(offset.right)) <= (start === "centre" ? 3 : 4));
      return translated(image, whole, offset);
    });
    assert.deepEqual(translation(image, whole, draw), walked);
    // What is held has no walk behind it: it may be anywhere.
    for (const noise of [
      strongTranslation(image, whole, draw),
      translation(image, whole, { ...draw, held: true }),
    ])
      assert.deepEqual(noise, anywhere);
  }
});

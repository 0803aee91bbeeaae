import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { limit, stratifiedSplit, subset } from "../../lib/datasets/split.js";
import { channelStatistics } from "../../lib/datasets/statistics.js";

const labelsOf = fc
  .array(fc.nat(5), { minLength: 1, maxLength: 80 })
  .map((labels) => Int32Array.from(labels));
const countOf = (labels: Int32Array, label: number) => labels.filter((other) => other === label).length;

/** A set of 1 x 1 images whose pixels tell the position. */
function setOf(labels: Int32Array) {
  return {
    images: Uint8Array.from({ length: labels.length * 3 }, (_, i) => i),
    labels,
    ids: labels.map((_, n) => 100 + n),
    size: { height: 1, width: 1 },
    classNames: ["a", "b", "c", "d", "e", "f"],
    paths: Array.from(labels, (_, n) => `${n}.png`),
    cScores: Float32Array.from(labels, (_, n) => n / 128),
    coarseLabels: labels.map((label) => label + 10),
  };
}

test("a stratified split divides every class by the fraction and loses nothing", () => {
  fc.assert(
    fc.property(
      labelsOf,
      fc.double({ min: 0, max: 0.99, noNaN: true }),
      fc.nat(),
      (labels, fraction, seed) => {
        const { train, validation } = stratifiedSplit(labels, fraction, seed);
        assert.deepEqual(
          [...train, ...validation].sort((a, b) => a - b),
          [...labels.keys()],
        );
        for (let k = 0; k < 6; k++)
          assert.equal(
            countOf(
              labels.filter((_, n) => validation.includes(n)),
              k,
            ),
            Math.round(fraction * countOf(labels, k)),
          );
        assert.deepEqual(stratifiedSplit(labels, fraction, seed), { train, validation });
      },
    ),
  );
  assert.throws(() => stratifiedSplit(Int32Array.of(0), 1, 0), /fraction is 1/);
});

test("a limit takes classes in turn, and less is a part of more", () => {
  fc.assert(
    fc.property(labelsOf, fc.nat(), fc.nat(), (labels, draw, seed) => {
      const count = 1 + (draw % labels.length);
      const some = limit(setOf(labels), count, seed);
      assert.equal(some.labels.length, count);
      const counts = [0, 1, 2, 3, 4, 5].map((k) => countOf(some.labels, k));
      const most = Math.max(...counts);
      for (const [k, taken] of counts.entries()) assert.ok(taken >= most - 1 || taken === countOf(labels, k));
      if (count < labels.length)
        assert.ok(some.ids.every((id) => limit(setOf(labels), count + 1, seed).ids.includes(id)));
    }),
  );
  assert.throws(() => limit(setOf(Int32Array.of(0, 1)), 3, 0), /limit is 3 examples, allowed is 1 to 2/);
});

test("a subset carries everything that belongs to each example", () => {
  const some = subset(setOf(Int32Array.of(0, 1, 2, 3)), [3, 1]);
  assert.deepEqual([...some.images], [9, 10, 11, 3, 4, 5]);
  assert.deepEqual(
    [[...some.labels], [...some.ids], some.paths],
    [
      [3, 1],
      [103, 101],
      ["3.png", "1.png"],
    ],
  );
  assert.deepEqual(
    [[...(some.cScores ?? [])], [...(some.coarseLabels ?? [])]],
    [
      [3 / 128, 1 / 128],
      [13, 11],
    ],
  );
});

test("channel statistics are the population's mean and standard deviation", () => {
  const { mean, std } = channelStatistics(Uint8Array.of(0, 51, 255, 255, 51, 255, 0, 51, 0, 255, 51, 0));
  assert.deepEqual(
    [mean, std],
    [
      [0.5, 0.2, 0.5],
      [0.5, 0, 0.5],
    ],
  );
});

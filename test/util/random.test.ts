import assert from "node:assert/strict";
import { test } from "node:test";
import { randomStream } from "../../lib/util/random.js";
import { mean } from "../../lib/util/statistics.js";

test("a stream is decided by seed and name alone, and streams do not disturb each other", () => {
  const undisturbed = randomStream(7, "shuffle/0");
  const alone = Array.from({ length: 5 }, () => undisturbed.uint32());
  const other = randomStream(7, "augment/0");
  const again = randomStream(7, "shuffle/0");
  const interleaved = alone.map(() => {
    other.uint32();
    return again.uint32();
  });
  assert.deepEqual(interleaved, alone);
  const heads = [randomStream(7, "a"), randomStream(8, "a"), randomStream(7, "b")].map((s) => s.uint32());
  assert.equal(new Set(heads).size, 3);
});

test("values do not change from one version to the next, since runs are reproduced by them", () => {
  const stream = randomStream(0, "init/stem.conv.weight");
  const first = [stream.uint32(), stream.uint32(), stream.uint32()];
  assert.deepEqual(first, [109637102, 285998507, 1618800659]);
});

test("gamma values have mean and variance equal to their shape, below 1 too", () => {
  for (const shape of [0.2, 1, 3.5, 40]) {
    const stream = randomStream(4, `gamma ${shape}`);
    const n = 20000;
    const values = Float64Array.from({ length: n }, () => stream.gamma(shape));
    const variance = mean(values.map((x) => (x - shape) ** 2));
    assert.ok(Math.abs(mean(values) - shape) < 5 * Math.sqrt(shape / n));
    // The variance of (x - shape)² is 2 shape² + 6 shape.
    assert.ok(Math.abs(variance - shape) < 5 * Math.sqrt((2 * shape ** 2 + 6 * shape) / n));
  }
});

test("uniform, normal and integer values have the moments of their distributions", () => {
  const n = 200_000;
  const stream = randomStream(1, "moments");
  const uniform = Float64Array.from({ length: n }, () => stream.uniform());
  const normal = Float64Array.from({ length: n }, () => stream.normal());
  const mean = (values: Float64Array): number => values.reduce((a, b) => a + b, 0) / n;
  // Five standard errors of each mean.
  assert.ok(Math.abs(mean(uniform) - 0.5) < 5 * Math.sqrt(1 / 12 / n));
  assert.ok(Math.abs(mean(normal)) < 5 / Math.sqrt(n));
  assert.ok(Math.abs(mean(normal.map((x) => x * x)) - 1) < 5 * Math.sqrt(2 / n));
  const product = mean(normal.map((x, i) => x * (normal[(i + 1) % n] as number)));
  assert.ok(Math.abs(product) < 5 / Math.sqrt(n), "neighbours are uncorrelated");
  const counts = [0, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i < n; i++) (counts[stream.integer(7)] as number)++;
  const chiSquare = counts.reduce((sum, count) => sum + (count - n / 7) ** 2 / (n / 7), 0);
  assert.ok(chiSquare < 27.9, "six degrees of freedom, one in ten thousand");
});

test("a permutation holds every number once, and first places are spread evenly", () => {
  const firsts = [0, 0, 0, 0, 0];
  for (let seed = 0; seed < 5000; seed++) {
    const order = randomStream(seed, "permutation").permutation(5);
    assert.deepEqual([...order].sort(), [0, 1, 2, 3, 4]);
    (firsts[order[0] as number] as number)++;
  }
  const chiSquare = firsts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
  assert.ok(chiSquare < 23.5, "four degrees of freedom, one in ten thousand");
});

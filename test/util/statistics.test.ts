import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { randomStream } from "../../lib/util/random.js";
import {
  averageRanks,
  binomialCdf,
  bootstrapInterval,
  jackknifeError,
  mean,
  quantile,
  spearman,
  spearmanInterval,
  standardError,
} from "../../lib/util/statistics.js";

const smallIntegers = fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 30 });

test("average ranks equal the count of smaller values plus half of the ties", () => {
  fc.assert(
    fc.property(smallIntegers, (values) => {
      const expected = values.map((value) => {
        const smaller = values.filter((other) => other < value).length;
        const tied = values.filter((other) => other === value).length;
        return smaller + (tied + 1) / 2;
      });
      assert.deepEqual(Array.from(averageRanks(values)), expected);
    }),
  );
});

test("the jackknife of a mean that leaves out one value at a time is its standard error", () => {
  const values = [3, 1, 4, 1.5, 9, 2.6];
  const withoutOne = values.map((_, i) => mean(values.filter((_value, j) => j !== i)));
  assert.ok(Math.abs(jackknifeError(withoutOne) - standardError(values)) < 1e-12);
  assert.equal(jackknifeError([2, 2, 2]), 0);
  assert.ok(Number.isNaN(jackknifeError([1])));
});

test("Spearman's rho: 1 under any rising map, -1 under any falling one, 1 - 6 Σ d² / n(n² - 1) without ties", () => {
  const x = [3, 1, 4, 1.5, 9, 2.6];
  const y = [2, 7, 1, 8, 2.8, 1.8];
  assert.equal(spearman(x, x.map(Math.exp)), 1);
  assert.equal(
    spearman(
      x,
      x.map((value) => -(value ** 3)),
    ),
    -1,
  );
  const ranksX = averageRanks(x);
  const squares = averageRanks(y).map((rank, i) => (rank - (ranksX[i] as number)) ** 2);
  const closedForm = 1 - (6 * squares.reduce((sum, d) => sum + d, 0)) / (6 * 35);
  assert.ok(Math.abs(spearman(x, y) - closedForm) < 1e-15);
  assert.ok(Number.isNaN(spearman([1, 1, 1], [1, 2, 3])));
  assert.throws(() => spearman([1, 2], [1]), RangeError);
});

test("mean, standard error and quantile in closed form", () => {
  assert.equal(mean([1, 2, 6]), 3);
  assert.ok(Math.abs(standardError([1, 2, 6]) - Math.sqrt(7 / 3)) < 1e-15);
  assert.ok(Number.isNaN(standardError([1])));
  assert.deepEqual(
    [0, 0.25, 0.5, 0.9, 1].map((q) => quantile([40, 10, 30, 20], q)),
    [10, 17.5, 25, 37, 40],
  );
  assert.ok(Number.isNaN(quantile([], 0.5)));
});

test("a bootstrap interval repeats from its stream and covers the normal one of a large sample", () => {
  const source = randomStream(1, "sample");
  const values = Float64Array.from({ length: 400 }, () => source.normal());
  const draw = () => bootstrapInterval(values, mean, { stream: randomStream(5, "bootstrap") });
  const { low, high } = draw();
  assert.deepEqual(draw(), { low, high });
  const expected = 1.96 * standardError(values);
  assert.ok(Math.abs(high - mean(values) - expected) < 0.15 * expected);
  assert.ok(Math.abs(mean(values) - low - expected) < 0.15 * expected);
});

test("the interval of Spearman's rho is that of ranking each resample anew", () => {
  const pairs = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 4 })), {
    minLength: 20,
    maxLength: 40,
  });
  fc.assert(
    fc.property(pairs, (points) => {
      const side = (k: 0 | 1, sample: ArrayLike<number>) => Array.from(sample, (n) => points[n]?.[k] ?? NaN);
      const places = [...points.keys()];
      const options = () => ({ stream: randomStream(3, "resamples"), resamples: 25, level: 0.8 });
      const anew = bootstrapInterval(
        places,
        (sample) => spearman(side(0, sample), side(1, sample)),
        options(),
      );
      const once = spearmanInterval(side(0, places), side(1, places), options());
      for (const end of ["low", "high"] as const)
        assert.ok(Object.is(once[end], anew[end]) || Math.abs(once[end] - anew[end]) < 1e-12);
    }),
    { numRuns: 30 },
  );
});

test("the binomial distribution function: 3 trials by hand, symmetry, and a sum that would underflow", () => {
  const near = (actual: number, expected: number): void => {
    assert.ok(Math.abs(actual - expected) < 1e-10, `${actual}, not ${expected}`);
  };
  near(binomialCdf(1, 3, 0.25), 0.75 ** 3 + 3 * 0.25 * 0.75 ** 2);
  near(binomialCdf(3, 3, 0.25), 1);
  near(binomialCdf(-1, 3, 0.25), 0);
  // P(X <= 2499) = P(X >= 2501) and P(X = 2500) = 0.011283... (Stirling's series of the central coefficient).
  const centre = Math.exp(-Math.log(Math.PI * 2500) / 2 - 1 / (8 * 2500) + 1 / (192 * 2500 ** 3));
  near(binomialCdf(2499, 5000, 0.5), (1 - centre) / 2);
  near(binomialCdf(2500, 5000, 0.5), (1 + centre) / 2);
});

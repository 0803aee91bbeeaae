import assert from "node:assert/strict";
import { test } from "node:test";
import { randomStream } from "../../lib/util/random.js";
import {
  estimateOf,
  holmAdjusted,
  meanInterval,
  pValueAbove,
  studentQuantile,
  studentTail,
} from "../../lib/util/student-t.js";

const near = (actual: number, expected: number, within: number): void => {
  assert.ok(Math.abs(actual - expected) <= within, `${actual}, not ${expected}`);
};

test("quantiles of Student's t are those of the tables, and the tail turns them back", () => {
  // Abramowitz and Stegun, table 26.10, for 90, 95, 99 % one-sided.
  const table: readonly (readonly [degrees: number, ...quantiles: number[]])[] = [
    [1, 3.078, 6.314, 31.821],
    [2, 1.886, 2.92, 6.965],
    [3, 1.638, 2.353, 4.541],
    [4, 1.533, 2.132, 3.747],
    [7, 1.415, 1.895, 2.998],
    [30, 1.31, 1.697, 2.457],
    [120, 1.289, 1.658, 2.358],
  ];
  for (const [degrees, ...quantiles] of table)
    [0.9, 0.95, 0.99].forEach((p, i) => {
      const t = studentQuantile(p, degrees);
      near(t, quantiles[i] as number, 5.1e-4);
      near(studentTail(t, degrees), 1 - p, 1e-12);
      near(studentTail(-t, degrees), p, 1e-12);
    });
  near(studentQuantile(0.5, 3), 0, 1e-300);
});

test("the tail is the closed form for one and two degrees of freedom, and the integral of the density for five", () => {
  for (const t of [-3, -0.4, 0, 0.7, 2.5, 40]) {
    near(studentTail(t, 1), 0.5 - Math.atan(t) / Math.PI, 1e-14);
    near(studentTail(t, 2), 0.5 - t / (2 * Math.sqrt(2 + t * t)), 1e-14);
  }
  assert.equal(studentTail(Infinity, 2), 0);
  // Density 8 / (3 π √5 (1 + x²/5)³), by trapezoids from 0 to 1.5.
  const density = (x: number): number => 8 / (3 * Math.PI * Math.sqrt(5) * (1 + (x * x) / 5) ** 3);
  const steps = 20_000;
  let area = 0;
  for (let i = 0; i < steps; i++)
    area += ((density((1.5 * i) / steps) + density((1.5 * (i + 1)) / steps)) / 2) * (1.5 / steps);
  near(studentTail(1.5, 5), 0.5 - area, 1e-9);
});

test("the interval of a mean is Student's: of 1, 2, 3, 4 it is 2.5 ± 3.182 * 0.6455", () => {
  const { low, high } = meanInterval([1, 2, 3, 4]);
  near(low, 2.5 - 3.18245 * Math.sqrt(5 / 12), 1e-5);
  near(low + high, 5, 1e-12);
  assert.ok(Number.isNaN(meanInterval([1]).low));
});

test("the one-sided t-test: by hand, of one value, and of values that are all equal", () => {
  // Mean 2, standard error 1, two degrees of freedom: t = 2 has 1/2 - 2 / (2 √6) above it.
  const values = [2 - Math.sqrt(3), 2, 2 + Math.sqrt(3)];
  near(pValueAbove(estimateOf(values), 0), 0.5 - 1 / Math.sqrt(6), 1e-12);
  near(pValueAbove(estimateOf(values), 4), 0.5 + 1 / Math.sqrt(6), 1e-12);
  assert.ok(Number.isNaN(pValueAbove(estimateOf([5]), 0)));
  assert.ok(Number.isNaN(pValueAbove(estimateOf([]), 0)));
  assert.deepEqual(
    [0, 1, 2].map((bound) => pValueAbove(estimateOf([1, 1, 1]), bound)),
    [0, 1, 1],
  );
});

test("an error of another source adds in squares, with Satterthwaite's degrees of freedom", () => {
  // Standard error 1 with two degrees of freedom.
  const values = [2 - Math.sqrt(3), 2, 2 + Math.sqrt(3)];
  const alone = estimateOf(values);
  assert.deepEqual([Math.round(alone.error * 1e9) / 1e9, alone.degrees], [1, 2]);
  const both = estimateOf(values, { error: 2, degrees: 19 });
  near(both.error, Math.sqrt(5), 1e-12);
  // 25 / (1/2 + 16/19) = 18.6.
  assert.equal(both.degrees, 18);
  assert.ok(
    Number.isNaN(estimateOf([5], { error: 2, degrees: 19 }).error),
    "one seed does not tell its error",
  );
  assert.deepEqual(estimateOf([1, 1, 1], { error: 2, degrees: 19 }), { mean: 1, error: 2, degrees: 19 });
});

test("where nothing is there, the test at 5 % says otherwise in one case of twenty, at three seeds as at eight", () => {
  const stream = randomStream(1, "t-test under the null");
  for (const n of [3, 8]) {
    const draws = 20_000;
    let wrong = 0;
    for (let i = 0; i < draws; i++) {
      const values = Array.from({ length: n }, () => stream.normal());
      if (pValueAbove(estimateOf(values), 0) <= 0.05) wrong++;
    }
    // Four standard errors of a share of 5 % over 20,000 draws are 0.6 %.
    near(wrong / draws, 0.05, 0.0062);
  }
});

test("Holm's correction: an example by hand, whatever the order, and never above 1", () => {
  // Sorted 0.005, 0.01, 0.03, 0.04 become 4 x 0.005, 3 x 0.01, 2 x 0.03, and the largest so far in place of 0.04.
  const adjusted = holmAdjusted([0.01, 0.04, 0.03, 0.005]);
  [0.03, 0.06, 0.06, 0.02].forEach((expected, i) => {
    near(adjusted[i] as number, expected, 1e-12);
  });
  assert.deepEqual(holmAdjusted([0.5, 0.9]), [1, 1]);
  assert.deepEqual(holmAdjusted([]), []);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { NUMBER } from "../../../lib/studies/evidence/format.js";
import { type ArmResult, PairedArms } from "../../../lib/studies/evidence/paired-arms.js";
import { randomStream } from "../../../lib/util/random.js";

const TEN_TIMES = { name: "ten times", unit: NUMBER, of: (value: number) => 10 * value };

const RESULTS: readonly ArmResult<number>[] = [
  { arm: "a", seed: 0, measured: 3 },
  { arm: "a", seed: 1, measured: 5 },
  { arm: "a", seed: 2, measured: 4 },
  { arm: "b", seed: 0, measured: 2 },
  { arm: "b", seed: 1, measured: 1 },
  { arm: "b", seed: 2, measured: 4 },
];

test("arms are compared seed by seed, whatever the order of their results", () => {
  for (let draw = 0; draw < 20; draw++) {
    const order = [...randomStream(draw, "order of results").permutation(RESULTS.length)];
    const paired = new PairedArms(order.map((i) => RESULTS[i] as ArmResult<number>));
    assert.deepEqual(paired.seeds, [0, 1, 2]);
    assert.deepEqual(paired.bySeed("b", TEN_TIMES), [20, 10, 40]);
    assert.deepEqual(paired.lead("a", "b", TEN_TIMES), [10, 40, 0]);
  }
});

test("a contrast knows the mean over seeds without each group of images, paired by seed", () => {
  const measured = (value: number, ...withoutGroup: number[]) => ({
    value,
    withoutGroup: withoutGroup.map((one) => ({ value: one })),
  });
  const paired = PairedArms.grouped([
    { arm: "a", seed: 0, measured: measured(3, 2, 5) },
    { arm: "b", seed: 1, measured: measured(1, 1, 1) },
    { arm: "a", seed: 1, measured: measured(6, 4, 8) },
    { arm: "b", seed: 0, measured: measured(2, 2, 1) },
    { arm: "c", seed: 0, measured: "diverged" },
    { arm: "c", seed: 1, measured: measured(0, 1, 2) },
  ]);
  const quantity = { name: "value", unit: NUMBER, of: ({ value }: { readonly value: number }) => value };
  const [ahead, beside] = paired.over("a", ["b", "c"], quantity);
  assert.deepEqual(
    [ahead?.values, ahead?.withoutGroup],
    [
      [1, 5],
      [(0 + 3) / 2, (4 + 7) / 2],
    ],
  );
  assert.deepEqual([beside?.values, beside?.withoutGroup], [[6], [3, 6]]);
  assert.deepEqual(paired.own("a", [quantity])[0]?.withoutGroup, [3, 6.5]);
  const [unknown] = new PairedArms(RESULTS).over("a", ["b"], TEN_TIMES);
  assert.equal(unknown?.withoutGroup, undefined);
});

test("a seed that diverged is left out on both sides and counted; one that is missing is an error", () => {
  const paired = new PairedArms([
    ...RESULTS.filter(({ arm, seed }) => arm !== "b" || seed !== 1),
    { arm: "b", seed: 1, measured: "diverged" },
  ]);
  assert.deepEqual(paired.bySeed("a", TEN_TIMES), [30, 50, 40]);
  assert.deepEqual(paired.bySeed("b", TEN_TIMES), [20, 40]);
  assert.deepEqual(paired.lead("a", "b", TEN_TIMES), [10, 0]);
  assert.deepEqual(paired.lead("b", "a", TEN_TIMES), [-10, 0]);
  const [contrast] = paired.over("a", ["b"], TEN_TIMES);
  assert.deepEqual([contrast?.of, contrast?.values.length, contrast?.seeds], ["a over b", 2, 3]);
  assert.throws(() => new PairedArms([...RESULTS, ...RESULTS.slice(1, 2)]), /two results of a with seed 1/);
  const missing = new PairedArms(RESULTS.slice(1));
  assert.throws(() => missing.lead("b", "a", TEN_TIMES), /RangeError: no result of a with seed 0/);
  assert.throws(() => missing.bySeed("c", TEN_TIMES), /no result of c with seed 0/);
});

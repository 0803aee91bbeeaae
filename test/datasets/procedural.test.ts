import assert from "node:assert/strict";
import { test } from "node:test";
import type { ImageSet } from "../../lib/datasets/dataset.js";
import { loadDataset } from "../../lib/datasets/load.js";
import { valuesPerImage } from "../../lib/util/image-size.js";

const load = (changes: object = {}) =>
  loadDataset({ kind: "procedural", train: 1200, test: 600, size: 16, ...changes });

/** Label of the nearest class mean, by squared distance: an oracle that knows nothing of how images are made. */
function nearestMean(train: ImageSet, held: ImageSet): Int32Array {
  const values = valuesPerImage(train.size);
  const means = train.classNames.map(() => new Float64Array(values));
  const perClass = train.labels.length / train.classNames.length;
  for (const [n, label] of train.labels.entries())
    for (let i = 0; i < values; i++) {
      const mean = means[label] ?? new Float64Array(values);
      mean[i] = (mean[i] ?? 0) + (train.images[n * values + i] ?? 0) / perClass;
    }
  return held.labels.map((_, n) => {
    const distances = means.map((mean) =>
      mean.reduce((sum, level, i) => sum + (level - (held.images[n * values + i] ?? 0)) ** 2, 0),
    );
    return distances.indexOf(Math.min(...distances));
  });
}

test("the same seed gives the same images, a longer set only adds, another seed or split differs", async () => {
  const first = await load();
  assert.equal((await load()).hash, first.hash);
  assert.notEqual((await load({ seed: 1 })).hash, first.hash);
  const longer = await load({ train: 1300 });
  assert.deepEqual(longer.train.images.subarray(0, first.train.images.length), first.train.images);
  assert.notDeepEqual(first.test.images.subarray(0, 768), first.train.images.subarray(0, 768));
});

test("classes are balanced and named apart; typicality is in (0, 1]; any size and number of classes", async () => {
  for (const [classes, size] of [
    [2, 8],
    [10, 16],
    [23, 9],
  ] as const) {
    const { train } = await load({ classes, size, train: classes * 5 });
    assert.deepEqual(train.classNames.length, new Set(train.classNames).size);
    for (let k = 0; k < classes; k++) assert.equal(train.labels.filter((label) => label === k).length, 5);
    assert.equal(train.images.length, classes * 5 * size * size * 3);
    assert.ok(train.cScores?.every((score) => score > 0 && score <= 1));
  }
});

test("what is called typical is easy and what is called atypical is hard, step by step", async () => {
  const { train, test: held } = await load();
  const predicted = nearestMean(train, held);
  const accuracy = (from: number, to: number) => {
    const group = [...held.labels.keys()].filter(
      (n) => (held.cScores?.[n] ?? 0) > from && (held.cScores?.[n] ?? 0) <= to,
    );
    return group.filter((n) => predicted[n] === held.labels[n]).length / group.length;
  };
  const [hard, middle, easy] = [accuracy(0, 0.4), accuracy(0.4, 0.8), accuracy(0.8, 1)];
  assert.ok(easy > 0.9, `typical: ${easy}`);
  assert.ok(middle < easy && hard < middle - 0.2, `${easy} ${middle} ${hard}`);
  assert.ok(hard > 0.1, `above chance still: ${hard}`);
});

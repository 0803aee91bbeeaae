import assert from "node:assert/strict";
import { test } from "node:test";
import { proceduralSplit } from "../../lib/datasets/procedural.js";
import { splitByClass } from "../../lib/datasets/split-by-class.js";
import { UserError } from "../../lib/util/errors.js";

const set = proceduralSplit(
  { kind: "procedural", classes: 5, size: 8, train: 23, test: 1, seed: 0 },
  "train",
);

test("a set parts by class: every image in one part, classes numbered anew under their names", () => {
  const { chosen, others } = splitByClass(set, [3, 1]);
  assert.deepEqual(chosen.classNames, [set.classNames[1], set.classNames[3]]);
  assert.deepEqual(
    others.classNames,
    [0, 2, 4].map((k) => set.classNames[k]),
  );
  assert.deepEqual(
    [...chosen.ids, ...others.ids].sort((a, b) => a - b),
    [...set.ids],
  );
  for (const part of [chosen, others]) {
    part.ids.forEach((id, n) => {
      assert.equal(part.classNames[part.labels[n] as number], set.classNames[set.labels[id] as number]);
      assert.deepEqual(part.images.slice(n * 192, (n + 1) * 192), set.images.slice(id * 192, (id + 1) * 192));
    });
  }
});

test("classes that there are not, or too many of them, are refused", () => {
  assert.throws(() => splitByClass(set, [5]), /class 5 .* 0 to 4/);
  assert.throws(() => splitByClass(set, [1, 1]), UserError);
  assert.throws(() => splitByClass(set, [0, 1, 2, 3]), /leave at least two/);
});

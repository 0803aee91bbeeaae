import assert from "node:assert/strict";
import { test } from "node:test";
import { checkedPath } from "../../lib/datasets/archive-file.js";
import { layoutOfSplit } from "../../lib/datasets/image-layout.js";
import { userError } from "../user-error.js";

test("as many classes as images take no more than their share of time", { timeout: 20_000 }, () => {
  const names = Array.from({ length: 60_000 }, (_, k) => `class${String(k).padStart(6, "0")}`);
  const files = ["train", "test"].flatMap((split) => names.map((name) => `${split}/${name}/0.png`));
  const tree = { root: "set", folders: names.map((name) => `train/${name}`), files, contents: () => [] };
  for (const options of [{}, { classNames: names, bare: true }]) {
    const { labels, classNames } = layoutOfSplit(tree, "train", options);
    assert.deepEqual([classNames.length, labels[0], labels.at(-1)], [60_000, 0, 59_999]);
  }
  assert.throws(
    () => layoutOfSplit(tree, "train", { classNames: names.slice(1) }),
    userError(/"class000000" is none of the classes allowed: class000001, .* and 59987 more$/),
  );
});

test("paths in archives are neither deep nor long", () => {
  assert.equal(checkedPath("a.tar", `${"x/".repeat(31)}0.png`).length, 67);
  assert.throws(
    () => checkedPath("a.tar", "x/".repeat(50_000)),
    userError(/has a name of 100000 characters/),
  );
  assert.throws(
    () => checkedPath("a.tar", "x/".repeat(100)),
    userError(/lies 101 folders deep; the archive/),
  );
});

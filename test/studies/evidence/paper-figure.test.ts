import assert from "node:assert/strict";
import { test } from "node:test";
import { PAPER, paperFigureFor } from "../../../lib/studies/evidence/paper-figure.js";

test("the paper's figure stands beside results on CIFAR-10's classes alone, in whatever order", () => {
  const classes = "airplane automobile bird cat deer dog frog horse ship truck".split(" ");
  assert.equal(paperFigureFor(classes), PAPER);
  assert.equal(paperFigureFor([...classes].reverse()), PAPER);
  for (const others of [[], classes.slice(1), [...classes, "tank"], classes.map((name) => `${name}s`)])
    assert.equal(paperFigureFor(others).size, 0);
});

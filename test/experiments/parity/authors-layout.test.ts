import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  authorsShape,
  fromAuthorsLayout,
  toAuthorsLayout,
} from "../../../lib/experiments/parity/authors-layout.js";

test("a filter and a linear weight, permuted by hand", () => {
  // Our filter [height 1, width 2, in 2, out 2] holds hwio in its digits; the authors' is [out, in, height, width].
  const filter = { role: "filter", shape: [1, 2, 2, 2] };
  const ours = Float32Array.of(0, 1, 10, 11, 100, 101, 110, 111);
  const theirs = Float32Array.of(0, 100, 10, 110, 1, 101, 11, 111);
  assert.deepEqual(authorsShape(filter), [2, 2, 1, 2]);
  assert.deepEqual(toAuthorsLayout(filter, ours), theirs);
  assert.deepEqual(fromAuthorsLayout(filter, theirs), ours);
  const linear = { role: "linear", shape: [3, 2] };
  assert.deepEqual(authorsShape(linear), [2, 3]);
  assert.deepEqual(
    toAuthorsLayout(linear, Float32Array.of(1, 2, 3, 4, 5, 6)),
    Float32Array.of(1, 3, 5, 2, 4, 6),
  );
});

test("there and back is the same; only filters and linear weights are laid out differently", () => {
  const size = fc.integer({ min: 1, max: 4 });
  const laid = fc.oneof(
    fc.record({ role: fc.constant("filter"), shape: fc.array(size, { minLength: 4, maxLength: 4 }) }),
    fc.record({ role: fc.constant("linear"), shape: fc.array(size, { minLength: 2, maxLength: 2 }) }),
    fc.record({
      role: fc.constantFrom("scale", "mean"),
      shape: fc.array(size, { minLength: 1, maxLength: 2 }),
    }),
  );
  fc.assert(
    fc.property(laid, (tensor) => {
      const count = tensor.shape.reduce((a, b) => a * b, 1);
      const values = Float32Array.from({ length: count }, (_, i) => i);
      const theirs = toAuthorsLayout(tensor, values);
      assert.deepEqual(fromAuthorsLayout(tensor, theirs), values);
      if (tensor.role !== "filter" && tensor.role !== "linear") assert.deepEqual(theirs, values);
    }),
  );
});

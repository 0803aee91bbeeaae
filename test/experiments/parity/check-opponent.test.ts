import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { checkOpponent, checkPublishedSizes } from "../../../lib/experiments/parity/check-opponent.js";
import { checkReference } from "../../../lib/experiments/parity/parity.js";
import type { OpponentCase } from "../../../lib/experiments/parity/opponent-case.js";
import { hasOwnKernels } from "../../../lib/nn/backend/kernel-level.js";
import { UserError } from "../../../lib/util/errors.js";

const skip = hasOwnKernels ? false : "the own kernels are not compiled";

const read = (name: string): unknown =>
  JSON.parse(readFileSync(`test/reference/opponents/${name}.json`, "utf8"));

test("parameters and multiply-adds of MSDNet and SDN are those of the published configurations", () => {
  const rows = checkPublishedSizes(read("published-sizes"), "published-sizes");
  assert.equal(rows.length, 8);
  for (const row of rows) assert.ok(row.passed, `${row.case} ${row.quantity}`);
});

for (const name of ["msdnet-even", "msdnet-lin-grow", "sdn-resnet-small"]) {
  test(`${name} meets every number of the public implementation`, { skip }, () => {
    const rows = checkOpponent(read(name), name, "float64Sums");
    assert.equal(rows.length, 7);
    for (const { quantity, error, limit, passed } of rows)
      assert.ok(passed, `${quantity}: ${error} > ${String(limit)}`);
  });
}

test("one logit, one gradient and one multiply-add off are noticed", { skip }, () => {
  const reference = read("sdn-resnet-small") as OpponentCase;
  const failures = (): string[] =>
    checkOpponent(reference, "x", "float64Sums").flatMap(({ passed, quantity }) =>
      passed ? [] : [quantity],
    );
  const [exit] = reference.evalLogits;
  const gradient = reference.gradients["layers.1.output.alpha"];
  assert.ok(exit?.[0]?.[0] !== undefined && gradient?.values[0] !== undefined);
  exit[0][0] *= 1.001;
  gradient.values[0] *= 1.01;
  reference.multiplyAdds[2] = (reference.multiplyAdds[2] ?? 0) + 1;
  assert.deepEqual(failures(), ["multiplyAdds", "evalLogits", "gradients"]);
});

test("a file that is no case of an opponent is refused by name and field", () => {
  assert.throws(
    () => checkOpponent({ config: { nBlocks: 0 } }, "x.json", "float64Sums"),
    (error) => error instanceof UserError && error.message.includes("x.json"),
  );
});

test("a file without anything to compare is refused, not passed", () => {
  for (const empty of [{}, [], { labels: [1] }]) {
    assert.throws(
      () => checkReference(empty, "empty.json", "float64Sums"),
      (error) => error instanceof UserError && error.message.startsWith("empty.json is not a reference file"),
    );
  }
});

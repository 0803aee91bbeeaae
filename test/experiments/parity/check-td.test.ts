import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { checkTdReference } from "../../../lib/experiments/parity/check-td.js";

test("TD(lambda) targets and losses meet the reference; a wrong one is noticed", () => {
  const { td } = JSON.parse(readFileSync("test/reference/analyses.json", "utf8")) as {
    td: Record<string, { targets: number[][][]; lossPerTimestep: number[] }>;
  };
  const rows = checkTdReference(td, "analyses");
  assert.equal(rows.length, 8);
  for (const { quantity, error } of rows) assert.ok(error <= 1e-9, `${quantity}: ${error}`);
  const losses = td["0.25"]?.lossPerTimestep ?? [];
  losses[1] = 1.01 * (losses[1] ?? NaN);
  const wrong = checkTdReference(td, "analyses").filter(({ passed }) => !passed);
  assert.deepEqual(
    wrong.map(({ quantity }) => quantity),
    ["td.lossPerTimestep(lambda=0.25)"],
  );
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { missingTrainings, traceOf, trainMissing } from "../../lib/notebook/train-missing.js";
import { readTrace } from "../../lib/trace/trace-file.js";
import { tinyRunSpec } from "../experiments/tiny-run.js";
import { folderOfTests } from "../temporary-folder.js";

const root = folderOfTests("train-missing");

const specs = [tinyRunSpec("cascaded-ce"), tinyRunSpec("cascaded-td")];

test("nothing is trained that takes longer than allowed; what is allowed is trained once", async () => {
  const before = await missingTrainings(specs, root);
  assert.deepEqual([before.trainings, before.missing], [2, 2]);
  assert.ok(before.hours > 0);
  await assert.rejects(
    trainMissing(specs, { root, hours: before.hours / 2 }),
    /^UserError: 2 of 2 trainings are missing.* set hours = 0.1 in the cell of parameters/,
  );
  assert.equal((await missingTrainings(specs, root)).missing, 2);

  const runs = await trainMissing(specs, { root, hours: 1 });
  assert.deepEqual(
    runs.map(({ models }) => models),
    [["CascadedCE", "SerialCE"], ["CascadedTD"]],
  );
  assert.deepEqual(await missingTrainings(specs, root), { trainings: 2, missing: 0, hours: 0 });
  assert.deepEqual(await trainMissing(specs, { root, hours: 0 }), runs);

  const seed = specs[0]?.seed ?? -1;
  const serial = await traceOf(runs, { model: "SerialCE", seed });
  assert.deepEqual(serial, await readTrace(join(runs[0]?.directory ?? "", "trace-SerialCE.arrow")));
  await assert.rejects(
    traceOf(runs, { model: "CascadedTD", seed: 99 }),
    /^UserError: no run gives CascadedTD of seed 99; there are CascadedCE \(seed \d+\), SerialCE/,
  );
});

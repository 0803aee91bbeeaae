import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { runSummary } from "../../../lib/experiments/runs/run-summary.js";
import { trainingRun } from "../../../lib/experiments/runs/training-run.js";
import { readTrace } from "../../../lib/trace/trace-file.js";
import { temporaryFolder } from "../../temporary-folder.js";
import { tinyRunSpec } from "../tiny-run.js";

test("images of 64 x 64 pixels, as TinyImageNet's, are trained on with either stem", async (context) => {
  const root = await temporaryFolder(context);
  for (const stem of ["cifar", "imagenet"] as const) {
    const data = { size: 64, train: 40, test: 10 };
    const spec = tinyRunSpec("cascaded-td", { data, network: { stem }, train: { epochs: 1 } });
    const run = await trainingRun(spec, { root, quiet: true });
    assert.equal(runSummary(run).imageSize, 64);
    const trace = await readTrace(join(run, "trace-CascadedTD.arrow"));
    assert.equal(trace.logits.length, 9 * 10 * 10);
    assert.ok(trace.logits.every(Number.isFinite));
    // What the stem sees of an image reaches the output from t = 1 on.
    const at = (t: number, n: number): number => trace.logits[(t * 10 + n) * 10] ?? NaN;
    assert.equal(at(0, 0), at(0, 1));
    assert.notEqual(at(1, 0), at(1, 1));
  }
});

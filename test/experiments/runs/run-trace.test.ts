import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { readRun } from "../../../lib/experiments/runs/run-record.js";
import { runSummary } from "../../../lib/experiments/runs/run-summary.js";
import { testTrace } from "../../../lib/experiments/runs/run-trace.js";
import { trainingRun } from "../../../lib/experiments/runs/training-run.js";
import { writeTrace } from "../../../lib/trace/trace-file.js";
import { UserError } from "../../../lib/util/errors.js";
import { temporaryFolder } from "../../temporary-folder.js";
import { tinyRunSpec } from "../tiny-run.js";

test("what is reported of a run is what was computed: a trace, DONE.json or spec that was changed is refused", async (t) => {
  const spec = tinyRunSpec("cascaded-td", { train: { epochs: 1 } });
  const run = await trainingRun(spec, { root: await temporaryFolder(t), quiet: true });
  const [recorded] = runSummary(run).models;
  assert.ok(recorded !== undefined);
  const trace = await testTrace(run, recorded.model);
  assert.equal(trace.run, readRun(run).hash);
  await assert.rejects(testTrace(run, "nobody"), /gives no model "nobody"; it gives CascadedTD/);

  /** Reads the trace while a file of the run is another. */
  const refused = async (
    file: string,
    change: (path: string, text: string) => Promise<void>,
    says: RegExp,
  ) => {
    const path = join(run, file);
    const before = await readFile(path);
    await change(path, before.toString());
    await assert.rejects(
      testTrace(run, recorded.model),
      (error) => error instanceof UserError && says.test(error.message),
    );
    await writeFile(path, before);
  };
  await refused(
    recorded.trace,
    (path) => writeTrace(path, { ...trace, logits: trace.logits.map((logit) => -logit) }),
    /trace-CascadedTD\.arrow has changed/,
  );
  const edited = (text: string): string => text.replace(/("accuracy": \[\s*)[\d.]+/, "$10.987");
  const withoutSum = (text: string): string => text.replace(/,\s*"sum": "\w+"/, "");
  await refused("DONE.json", (path, text) => writeFile(path, edited(text)), /does not fit its own sum/);
  await refused(
    "DONE.json",
    (path, text) => writeFile(path, withoutSum(edited(text))),
    /accuracies of CascadedTD in DONE\.json are not those of trace-CascadedTD\.arrow/,
  );
  await refused(
    "DONE.json",
    (path, text) => writeFile(path, withoutSum(text).replace(/,\s*"trace-[^"]*": "\w+"/, "")),
    /trace-CascadedTD\.arrow has changed/,
  );
  await refused(
    "spec.json",
    (path, text) => writeFile(path, text.replace(/"seed": \d+/, '"seed": 77')),
    /spec\.json has changed/,
  );
  assert.deepEqual((await testTrace(run, recorded.model)).logits, trace.logits);
});

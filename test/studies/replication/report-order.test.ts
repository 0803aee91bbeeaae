import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { reportOrder } from "../../../lib/studies/replication/report-order.js";
import { temporaryFolder } from "../../temporary-folder.js";

test("the report keeps what earlier calls left of other data, in the paper's order, and waits for what this call does alone", async (context) => {
  const folder = await temporaryFolder(context);
  const left = [
    ["cifar10", "noise"],
    ["cifar10", "six-models"],
    ["mine", "field"],
  ] as const;
  for (const [data, study] of left) {
    mkdirSync(join(folder, "reduced", data), { recursive: true });
    writeFileSync(join(folder, "reduced", data, `${study}.json`), "{}");
  }
  writeFileSync(join(folder, "reduced", "report.html"), "");
  const called = ["trace", "noise"].map((study) => ({ data: "cifar100", study }));
  const order = reportOrder("reduced", called, folder).map(({ data, study }) => `${data}/${study}`);
  assert.deepEqual(order, [
    "cifar10/six-models",
    "cifar10/noise",
    "cifar100/noise",
    "cifar100/trace",
    "mine/field",
  ]);
  assert.deepEqual(reportOrder("quick", [], folder), []);
});

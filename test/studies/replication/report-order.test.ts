import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { STUDIES } from "../../../lib/studies/replication/protocols.js";
import { reportOrder } from "../../../lib/studies/replication/report-order.js";
import { temporaryFolder } from "../../temporary-folder.js";

test("the report keeps what earlier calls left of other data, in the paper's order, and waits for this call's alone", async (context) => {
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
  const order = reportOrder("reduced", ["cifar100"], folder).map(({ data, study }) => `${data}/${study}`);
  assert.deepEqual(order, [
    "cifar10/six-models",
    "cifar10/noise",
    ...STUDIES.map(({ name }) => `cifar100/${name}`),
    "mine/field",
  ]);
  assert.deepEqual(reportOrder("quick", [], folder), []);
});

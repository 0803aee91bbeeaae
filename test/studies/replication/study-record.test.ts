import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { counted, decided, finding } from "../../../lib/studies/evidence/finding.js";
import { PERCENT } from "../../../lib/studies/evidence/format.js";
import { isAhead } from "../../../lib/studies/evidence/rules.js";
import {
  holds,
  isFormer,
  readStudyRecord,
  type StudyRecord,
  writeStudyRecord,
} from "../../../lib/studies/replication/study-record.js";
import { temporaryFolder } from "../../temporary-folder.js";
import { userError } from "../../user-error.js";

const COMMITTED = join(import.meta.dirname, "../../../data/results/reduced/cifar10");

test("what was found is read back as it was, also of one seed, whose interval is none", async (context) => {
  const path = join(await temporaryFolder(context), "a.json");
  const contrast = (values: readonly number[]) => ({ of: "a over b", values, seeds: 3, unit: PERCENT });
  const findings = decided([
    finding({ statement: "a", by: "paper", carries: true }, isAhead, [contrast([1, 2, 3])]),
    finding({ statement: "b", by: "paper" }, isAhead, [contrast([1])]),
    counted({ statement: "c", by: "project" }, "3 of 3", true),
  ]);
  const record: StudyRecord = {
    protocol: "quick",
    data: { name: "d", hash: "0", train: 1, test: 1 },
    study: { name: "a", title: "A", claim: "" },
    settings: { seeds: [0], overrides: [] },
    verdict: "reproduced",
    findings: findings.map((one) => ({ ...one, contrasts: one.contrasts.map((each) => ({ ...each })) })),
    tables: [],
    figures: [],
    runs: [],
    analysisSeconds: 0,
    finishedAt: "",
    environment: {},
    trainedIn: [],
  };
  await writeStudyRecord(path, record);
  const read = readStudyRecord(path);
  assert.match(read?.sum ?? "", /^[0-9a-f]{64}$/);
  assert.deepEqual({ ...read, sum: undefined }, { ...record, sum: undefined });
  const text = readFileSync(path, "utf8");
  for (const [from, to] of [
    ['"reproduced"', '"not reproduced"'],
    ['"measured": "', '"measured": "9'],
    ['"hash": "0"', '"hash": "1"'],
  ] as const) {
    assert.ok(text.includes(from));
    writeFileSync(path, text.replace(from, to));
    assert.throws(() => readStudyRecord(path), userError(/a\.json was changed after it was written/));
  }
  assert.deepEqual(record.findings.map(holds), [true, false, true]);
});

test("every committed record can be read; those by former rules are told by their verdict", () => {
  for (const name of readdirSync(COMMITTED).filter((file) => file.endsWith(".json"))) {
    const record = readStudyRecord(join(COMMITTED, name));
    assert.ok(record !== undefined && record.findings.length > 0, name);
    const former = record.findings.filter((one) => "comesOut" in one);
    assert.ok(former.length === (isFormer(record.verdict) ? record.findings.length : 0), name);
  }
});

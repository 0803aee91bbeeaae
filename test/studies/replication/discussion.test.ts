import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  discussionOf,
  findingsMark,
  readDiscussion,
  TOGETHER,
} from "../../../lib/studies/replication/discussion.js";
import type { StudyRecord } from "../../../lib/studies/replication/study-record.js";
import { temporaryFolder } from "../../temporary-folder.js";
import { userError } from "../../user-error.js";

function record(name: string, measured: string): StudyRecord {
  return {
    ...{ protocol: "reduced", verdict: "in part", settings: { seeds: [0], overrides: [] } },
    ...{ data: { name: "cifar10", hash: "0", train: 1, test: 1 }, study: { name, title: "", claim: "" } },
    findings: [{ statement: "s", measured, comesOut: true }],
    ...{ tables: [], figures: [], runs: [], environment: {}, trainedIn: [] },
    ...{ analysisSeconds: 0, finishedAt: "" },
  };
}

test("a discussion is shown beside the findings that it was written for, and beside no others", async (context) => {
  const path = join(await temporaryFolder(context), "discussion.md");
  const [a, b] = [record("a", "1"), record("b", "2")];
  assert.deepEqual(readDiscussion(path, [a, b]), { parts: new Map(), stale: [] });
  const parts = [
    `<!-- cifar10/a of ${findingsMark(a)} -->`,
    "\nOne\nparagraph.\n\nAnother.\n",
    "<!-- cifar10/b of 000000000000 -->\nOf other findings.",
    "<!-- cifar10/c of 000000000000 -->\nOf none.",
  ];
  writeFileSync(path, parts.join("\n"));
  const read = readDiscussion(path, [a, b]);
  assert.deepEqual(discussionOf(read, a), ["One\nparagraph.", "Another."]);
  assert.deepEqual(discussionOf(read, b), []);
  assert.equal(read.stale.length, 2);
  assert.match(read.stale[0] ?? "", new RegExp(`write ${findingsMark(b)} where it fits`));
  assert.match(read.stale[1] ?? "", /of which there is no result/);
  // The mark is of what was found, not of when.
  assert.equal(findingsMark({ ...a, finishedAt: "later" }), findingsMark(a));
  assert.notEqual(findingsMark(a), findingsMark(record("a", "1.0")));
});

test("what is said of all results is of these results, in whatever order they come", async (context) => {
  const path = join(await temporaryFolder(context), "discussion.md");
  const [a, b] = [record("a", "1"), record("b", "2")];
  writeFileSync(path, "<!-- all of 000000000000 -->\nTogether.\n");
  const [, mark = ""] = /which are (\w+) by now/.exec(readDiscussion(path, [a, b]).stale[0] ?? "") ?? [];
  writeFileSync(path, `<!-- all of ${mark} -->\nTogether.\n`);
  assert.deepEqual(readDiscussion(path, [b, a]).parts.get(TOGETHER), ["Together."]);
  assert.equal(readDiscussion(path, [a]).parts.get(TOGETHER), undefined);
});

test("a discussion without its form is refused with the form", async (context) => {
  const path = join(await temporaryFolder(context), "discussion.md");
  for (const text of ["Of what?", "Of what?\n<!-- cifar10/a of 0 -->\n", "<!-- a comment -->\ntext"]) {
    writeFileSync(path, text);
    assert.throws(() => readDiscussion(path, []), userError(/where a part begins; begin each with/));
  }
});

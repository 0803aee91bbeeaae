import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import {
  memoryLimit,
  processorQuota,
  usableMemory,
  usableProcessors,
} from "../../lib/util/machine-share.mjs";
import { temporaryFolder } from "../temporary-folder.js";

interface Groups {
  readonly what: string;
  /** As /proc/self/cgroup has it; undefined where there is no such file. */
  readonly membership: string | undefined;
  /** Below the place where groups are mounted, as the kernel's documentation has them. */
  readonly files: Readonly<Record<string, string>>;
  readonly expected: number;
}

const V1 = (group: string, quota: number): Readonly<Record<string, string>> => ({
  [`cpu${group}/cpu.cfs_quota_us`]: `${quota}\n`,
  [`cpu${group}/cpu.cfs_period_us`]: "100000\n",
});

const GROUPS: readonly Groups[] = [
  { what: "a container", membership: "0::/\n", files: { "cpu.max": "200000 100000\n" }, expected: 2 },
  { what: "three and a half", membership: "0::/\n", files: { "cpu.max": "350000 100000\n" }, expected: 3 },
  { what: "half of one", membership: "0::/\n", files: { "cpu.max": "25000 50000\n" }, expected: 1 },
  { what: "no quota", membership: "0::/\n", files: { "cpu.max": "max 100000\n" }, expected: Infinity },
  { what: "an empty file", membership: "0::/\n", files: { "cpu.max": "" }, expected: Infinity },
  {
    what: "a group above has less",
    membership: "0::/user.slice/a.scope\n",
    files: {
      "user.slice/cpu.max": "300000 100000\n",
      "user.slice/a.scope/cpu.max": "800000 100000\n",
    },
    expected: 3,
  },
  {
    what: "a container that is told its path on the machine",
    membership: "0::/system.slice/a:b.scope/\n",
    files: { "cpu.max": "500000 100000\n" },
    expected: 5,
  },
  {
    what: "version 1",
    membership: "5:memory:/a\n4:cpu,cpuacct:/a/b\n0::/\n",
    files: V1("/a/b", 400_000),
    expected: 4,
  },
  {
    what: "version 1, in a container",
    membership: "4:cpuacct,cpu:/docker/c\n",
    files: V1("", 600_000),
    expected: 6,
  },
  {
    what: "version 1, no quota",
    membership: "4:cpu:/\n0::/\n",
    files: { ...V1("", -1), "cpu.max": "" },
    expected: Infinity,
  },
  {
    what: "others' groups",
    membership: "4:cpu:/a\n",
    files: { ...V1("/b", 100_000), "cpu.max": "100000 100000\n" },
    expected: Infinity,
  },
  { what: "no groups", membership: undefined, files: {}, expected: Infinity },
];

const LIMITS: readonly Groups[] = [
  { what: "a container", membership: "0::/\n", files: { "memory.max": "4294967296\n" }, expected: 2 ** 32 },
  { what: "no limit", membership: "0::/\n", files: { "memory.max": "max\n" }, expected: Infinity },
  { what: "an empty file", membership: "0::/\n", files: { "memory.max": "" }, expected: Infinity },
  {
    what: "a scheduler's job, above the task that runs in it",
    membership: "0::/job_1/step_0/task_0\n",
    files: {
      "job_1/memory.max": "8000\n",
      "job_1/step_0/memory.max": "7000\n",
      "job_1/step_0/task_0/memory.max": "max\n",
    },
    expected: 7000,
  },
  {
    what: "version 1",
    membership: "4:cpu:/b\n3:memory:/job/task\n",
    files: {
      "memory/job/memory.limit_in_bytes": "9000\n",
      "memory/job/task/memory.limit_in_bytes": "9223372036854771712\n",
    },
    expected: 9000,
  },
];

/** A made root of groups, and the file that says which are the process's. */
async function makeGroups(context: TestContext, { membership, files }: Groups): Promise<[string, string]> {
  const folder = await temporaryFolder(context);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, "groups", name)), { recursive: true });
    writeFileSync(join(folder, "groups", name), text);
  }
  if (membership !== undefined) writeFileSync(join(folder, "membership"), membership);
  return [join(folder, "groups"), join(folder, "membership")];
}

for (const groups of GROUPS) {
  test(`the processors' time that the control groups give: ${groups.what}`, async (context) => {
    assert.equal(processorQuota(...(await makeGroups(context, groups))), groups.expected);
  });
}

for (const groups of LIMITS) {
  test(`the memory that the control groups give: ${groups.what}`, async (context) => {
    assert.equal(memoryLimit(...(await makeGroups(context, groups))), groups.expected);
  });
}

test("no more is used than there is, and at least one processor", () => {
  const usable = usableProcessors();
  assert.ok(Number.isInteger(usable) && usable >= 1 && usable <= availableParallelism());
  assert.ok(usableMemory() > 0 && usableMemory() <= totalmem());
});

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { inProject } from "../../lib/setup/project.mjs";
import { findCompiler } from "../../lib/setup/toolchain.mjs";
import { temporaryFolder } from "../temporary-folder.js";

const run = promisify(execFile);
const NATIVE = inProject("test", "nn", "native");
const compiler = findCompiler();

const SKIP = { skip: compiler === undefined ? "there is no compiler" : false };

interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/** As it is, and watched for races, and for what lies outside of memory or is undefined, where the compiler can. */
const WATCHES = [[], ["-fsanitize=thread"], ["-fsanitize=address,undefined"]];

for (const watch of WATCHES) {
  test(
    `work is shared out once and whole, whoever else works and whatever it throws ${watch.join(" ")}`,
    SKIP,
    async (context) => {
      assert.ok(compiler !== undefined);
      const program = join(await temporaryFolder(context), "share-work");
      try {
        await run(compiler.command, [
          ...["-O1", "-std=c++17", ...watch, "-I", join(NATIVE, "pool")],
          ...[join(NATIVE, "share-work.cc"), "-o", program, "-pthread"],
        ]);
      } catch (error) {
        if (watch.length === 0) throw error;
        context.skip("this compiler watches for nothing of the kind");
        return;
      }
      const { stdout, stderr } = await run(program).catch((error: unknown) => error as Output);
      // Where the system lays memory out otherwise than the watch expects, it does not begin.
      if (/unexpected memory mapping|Shadow memory range/.test(stderr)) {
        context.skip("this system does not let it watch");
        return;
      }
      assert.equal(stderr, "");
      assert.equal(stdout, "helpers came, errors were passed on, wrong: 0\n");
    },
  );
}

/** Files of a control group, as the kernel's documentation has them (cgroup-v2: cpu.max; sched-bwc: version 1). */
const QUOTAS: readonly (readonly [files: Readonly<Record<string, string>>, expected: string])[] = [
  [{ "cpu.max": "200000 100000\n" }, "2"],
  [{ "cpu.max": "350000 100000\n" }, "3"],
  [{ "cpu.max": "50000 100000\n" }, "1"],
  [{ "cpu.max": "max 100000\n" }, "all"],
  [{ "cpu/cpu.cfs_quota_us": "400000\n", "cpu/cpu.cfs_period_us": "100000\n" }, "4"],
  [{ "cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n" }, "all"],
  [{ "cpu.max": "" }, "all"],
  [{}, "all"],
];

test(
  "a container with a quota has helpers for as many processors, and not for all that it sees",
  SKIP,
  async (context) => {
    assert.ok(compiler !== undefined);
    const folder = await temporaryFolder(context);
    const groups = QUOTAS.map(([files], n) => {
      const group = join(folder, String(n));
      mkdirSync(join(group, "cpu"), { recursive: true });
      for (const [name, text] of Object.entries(files)) writeFileSync(join(group, name), text);
      return group;
    });
    const program = join(folder, "processor-quota");
    await run(compiler.command, ["-std=c++17", join(NATIVE, "processor-quota.cc"), "-o", program]);
    const { stdout } = await run(program, groups);
    assert.deepEqual(
      stdout.trim().split("\n"),
      QUOTAS.map(([, expected]) => expected),
    );
  },
);

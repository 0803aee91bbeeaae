import assert from "node:assert/strict";
import { execFile } from "node:child_process";
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

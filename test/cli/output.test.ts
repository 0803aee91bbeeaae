import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { before, test } from "node:test";
import { promisify } from "node:util";
import { temporaryFolder } from "../temporary-folder.js";
import { tinyRunSpec } from "../experiments/tiny-run.js";

const project = resolve(import.meta.dirname, "..", "..");
const cascade = `"${process.execPath}" "${join(project, "lib/cli/cascade.mjs")}"`;

before(async () => {
  const compiler = join(project, "node_modules/typescript/bin/tsc");
  await promisify(execFile)(process.execPath, [compiler, "--build", "lib"], { cwd: project });
});

/** Runs a command line in bash, whose exit code is that of the first command of a pipe that fails. */
async function shell(command: string): Promise<{ out: string; err: string; code: number }> {
  const argv = ["-c", `set -o pipefail; ${command}`];
  return promisify(execFile)("bash", argv, { cwd: project }).then(
    ({ stdout, stderr }) => ({ out: stdout, err: stderr, code: 0 }),
    (error: unknown) => {
      const { stdout, stderr, code } = error as { stdout: string; stderr: string; code: number };
      return { out: stdout, err: stderr, code };
    },
  );
}

const writers = [
  `${cascade} replicate --plan`,
  `${cascade} --help`,
  `${cascade} run cascaded-td --print-spec`,
];
for (const writer of writers)
  test(`a reader that goes away early is no failure of ${writer.split('" ').at(-1)}`, async () => {
    const { err, code } = await shell(`${writer} | true`);
    assert.equal(err, "");
    assert.equal(code, 0);
  });

test("work goes on when nobody reads its output any more, with its own exit code", async (context) => {
  const folder = await temporaryFolder(context);
  writeFileSync(join(folder, "spec.json"), JSON.stringify(tinyRunSpec("cascaded-td")));
  const { err, code } = await shell(
    `${cascade} run "${join(folder, "spec.json")}" --out "${folder}" 2>&1 | true`,
  );
  assert.equal(code, 0, err);
  const { out } = await shell(`ls "${folder}"/*/DONE.json`);
  assert.ok(existsSync(out.trim()), out);
  const refused = await shell(`${cascade} run no-such-preset 2>&1 | true`);
  assert.equal(refused.code, 1);
});

test("output that the disk has no room for is a failure, in one sentence", async () => {
  const { err, code } = await shell(`${cascade} replicate --plan > /dev/full`);
  assert.equal(code, 1);
  assert.match(err, /^standard output cannot be written: ENOSPC[^\n]*\n$/);
});

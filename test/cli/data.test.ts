import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdir, symlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { plainPng, smallImageFolder, writeTree } from "../datasets/fixtures.js";
import { temporaryFolder } from "../temporary-folder.js";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..", "..");
const program = `
  import { dataCommand } from ${JSON.stringify(pathToFileURL(join(root, "lib/cli/data.ts")).href)};
  try { await dataCommand().parseAsync(process.argv.slice(1), { from: "user" }); }
  catch (error) { console.error(error.message); process.exitCode = error.name === "UserError" ? 1 : 2; }`;

/** Runs `data <words>` in `folder` and gives what it printed and its exit code. */
async function data(folder: string, ...words: string[]): Promise<{ out: string; err: string; code: number }> {
  const tsx = import.meta.resolve("tsx");
  const argv = ["--import", tsx, "--input-type=module", "--eval", program, "--", ...words];
  return promisify(execFile)(process.execPath, argv, { cwd: folder }).then(
    ({ stdout, stderr }) => ({ out: stdout, err: stderr, code: 0 }),
    (error: unknown) => {
      const { stdout, stderr, code } = error as { stdout: string; stderr: string; code: number };
      return { out: stdout, err: stderr, code };
    },
  );
}

test("import fills the cache, info and verify describe, a broken file is fatal or listed", async (context) => {
  const folder = await temporaryFolder(context);
  await writeTree(join(folder, "set"), await smallImageFolder());
  assert.match(
    (await data(folder, "import", "set")).out,
    /set: 3 training and 2 test images of 8 x 8 pixels, 2 classes/,
  );
  const entries = await readdir(join(folder, "data", "cache"));
  assert.equal(entries.filter((name) => name !== "fingerprints").length, 1);

  const info = JSON.parse((await data(folder, "info", "set", "--json")).out) as Record<string, unknown>;
  assert.deepEqual(info["examples"], { train: 3, test: 2 });
  assert.deepEqual(info["perClass"], { train: [2, 1], test: [1, 1] });
  assert.equal(info["cScores"], null);

  await writeTree(join(folder, "set"), { "train/dog/5.jpg": "a text" });
  const failed = await data(folder, "verify", "set");
  assert.deepEqual([failed.code, failed.out], [1, ""]);
  assert.match(failed.err, /set\/train\/dog\/5\.jpg: its content is neither JPEG nor PNG/);
  const skipping = await data(folder, "verify", "set", "--on-broken", "skip");
  assert.match(skipping.out, /skipped set\/train\/dog\/5\.jpg: .*\n.*\n.*\nall is well: .* 1 files skipped/s);
  assert.match(
    (await data(folder, "info", "procedural", "--size", "8")).err,
    /--size and --on-broken are for image folders/,
  );
});

test("a path that is not there is one sentence for every command and kind", async (context) => {
  const folder = await temporaryFolder(context);
  for (const source of [
    "none.tar.gz",
    "cifar10=none.tar.gz",
    "cifar100=none",
    "tinyimagenet=none",
    "folder=none",
  ])
    for (const command of ["verify", "info"]) {
      const { code, err } = await data(folder, command, source);
      assert.deepEqual([code, err.trim().split("\n").length], [1, 1], `${command} ${source}: ${err}`);
      assert.match(err, /cannot read none(\.tar\.gz)?: there is no such file or folder/);
    }
});

test("a broken image of TinyImageNet is left out where that was asked for", async (context) => {
  const folder = await temporaryFolder(context);
  const png = await plainPng([1, 2, 3]);
  const sorted = ["train", "val"].flatMap((split) =>
    ["n01", "n02"].map((id) => [`tiny/${split}/${id}/images/0.JPEG`, png] as const),
  );
  await writeTree(folder, { "tiny/wnids.txt": "n01\nn02\n", ...Object.fromEntries(sorted) });
  await symlink("nowhere", join(folder, "tiny/train/n01/images/1.JPEG"));
  assert.match((await data(folder, "verify", "tiny")).err, /1\.JPEG: it is a link to nowhere/);
  const { code, out } = await data(folder, "verify", "tiny", "--on-broken", "skip");
  assert.equal(code, 0);
  assert.match(out, /all is well: tinyimagenet: 2 training and 2 test images .* 1 files skipped/);
});

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { writeFileAtomic } from "../../lib/util/files.js";
import { clearLeftovers, ownFolder, ownMark } from "../../lib/util/own-temporary.js";
import { withReplaced } from "../replaced-builtin.js";
import { temporaryFolder } from "../temporary-folder.js";
import { markOfTheDead } from "./mark-of-the-dead.js";

/** Temporary folders are made in `folder` until the test ends. */
function makeTemporariesIn(folder: string, context: TestContext): void {
  const before = process.env["TMPDIR"];
  context.after(() => {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  });
  process.env["TMPDIR"] = folder;
}

test("what the dead left goes; what is of the living, of others and of elsewhere stays, elsewhere for a day", async (context) => {
  const folder = await temporaryFolder(context);
  const dead = await markOfTheDead();
  const elsewhere = ownMark().replace(/[0-9a-f]{8}$/, "00000000");
  const old = ownMark().replace(/[0-9a-f]{8}$/, "11111111");
  for (const mark of [dead, ownMark(), elsewhere, old, "another name"])
    writeFileSync(join(folder, `x.${mark}.tmp`), "half");
  mkdirSync(join(folder, `x.${dead}-abcdef.tmp`));
  writeFileSync(join(folder, `y.${dead}.tmp`), "half");
  const twoDaysAgo = Date.now() / 1000 - 2 * 86_400;
  utimesSync(join(folder, `x.${old}.tmp`), twoDaysAgo, twoDaysAgo);
  await clearLeftovers(folder, "x.", ".tmp");
  const kept = [`x.${ownMark()}.tmp`, `x.${elsewhere}.tmp`, "x.another name.tmp", `y.${dead}.tmp`];
  assert.deepEqual(readdirSync(folder).sort(), kept.sort());
});

test("a file that is written clears what a killed process left of it, a folder those of its purpose", async (context) => {
  const folder = await temporaryFolder(context);
  const dead = await markOfTheDead();
  writeFileSync(join(folder, `.a.json.${dead}.tmp`), "half");
  mkdirSync(join(folder, `cascade-work-${dead}-abcdef`));
  await writeFileAtomic(join(folder, "a.json"), "{}");
  makeTemporariesIn(folder, context);
  const one = await ownFolder("work");
  const other = await ownFolder("work");
  assert.notEqual(one.path, other.path);
  one.remove();
  assert.ok(existsSync(other.path));
  other.remove();
  assert.deepEqual(readdirSync(folder), ["a.json"]);
});

test("a folder that cannot be removed ends nothing: it is left to the next one", async (context) => {
  makeTemporariesIn(await temporaryFolder(context), context);
  const { path, remove } = await ownFolder("work");
  const failing = () => () => {
    throw Object.assign(new Error("EIO: i/o error, rmdir"), { code: "EIO", errno: -5 });
  };
  await withReplaced("rmSync", failing, remove);
  assert.ok(existsSync(path));
});

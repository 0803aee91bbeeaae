import assert from "node:assert/strict";
import { cp, readdir, rename, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { datasetHash, loadDataset } from "../../lib/datasets/load.js";
import { plainPng, smallImageFolder, tarGz, writeTree } from "./fixtures.js";
import { temporaryFolder } from "../temporary-folder.js";

/** Changes of a file's content count as settled after two seconds, and are noted from then on. */
const SETTLED_MS = 2100;

async function folderAndCache(context: TestContext) {
  const path = join(await temporaryFolder(context), "set");
  await writeTree(path, await smallImageFolder());
  const decoded: string[] = [];
  const options = {
    cacheFolder: await temporaryFolder(context),
    onProgress: ({ stage }: { stage: string }) => decoded.push(stage),
    onReport: () => undefined,
  };
  return { path, options, decoded };
}

/** Overwrites a file and gives it the time that it had. */
async function changeUnseen(path: string, content: Buffer): Promise<void> {
  const { size, atime, mtime } = await stat(path);
  assert.equal(content.length, size, "the test wants another content of the same size");
  await writeFile(path, content);
  await utimes(path, atime, mtime);
}

test("a cache is never older than its folder, whatever sizes, times and names say", async (context) => {
  const { path, options, decoded } = await folderAndCache(context);
  const source = { kind: "folder", path } as const;
  await sleep(SETTLED_MS);
  const first = await loadDataset(source, options);
  assert.equal((await readdir(join(options.cacheFolder, "fingerprints"))).length, 1);
  const once = decoded.length;
  assert.equal((await loadDataset(source, options)).hash, first.hash);
  assert.equal(decoded.length, once, "the second load decodes nothing");

  await changeUnseen(join(path, "train/cat/2.png"), await plainPng([3, 0, 0]));
  const second = await loadDataset(source, options);
  assert.equal(second.train.images[192], 3);

  // Moved onto another's name: no time of any file in it changes, not even that of its last change.
  await sleep(SETTLED_MS);
  await loadDataset(source, options);
  for (const [from, to] of [
    ["cat", "x"],
    ["dog", "cat"],
    ["x", "dog"],
  ] as const)
    await rename(join(path, "val", from), join(path, "val", to));
  const swapped = await loadDataset(source, options);
  assert.equal(swapped.test.images[2], 9);
  assert.equal(new Set([first.hash, second.hash, swapped.hash]).size, 3);
  assert.equal(await datasetHash(source, options), swapped.hash);
});

test("an archive replaced in place by one of the same size and time is read anew", async (context) => {
  const { path, options } = await folderAndCache(context);
  const archive = `${path}.tar.gz`;
  const files = await smallImageFolder();
  const packed = (changes: Record<string, Buffer>) =>
    tarGz(Object.entries({ ...files, ...changes }).map(([name, content]) => ({ path: name, content })));
  const one = packed({});
  const other = packed({ "train/cat/2.png": await plainPng([3, 0, 0]) });
  const length = Math.max(one.length, other.length);
  const padded = (content: Buffer) => Buffer.concat([content, Buffer.alloc(length - content.length)]);
  await writeFile(archive, padded(one));
  await sleep(SETTLED_MS);
  const source = { kind: "folder", path: archive } as const;
  const before = await loadDataset(source, options);
  await changeUnseen(archive, padded(other));
  const after = await loadDataset(source, options);
  assert.deepEqual([before.train.images[192], after.train.images[192]], [2, 3]);
});

test("the same data under another path are read from the same entry, and files named by where they are", async (context) => {
  const { path, options, decoded } = await folderAndCache(context);
  await writeFile(join(path, "train/cat/notes.txt"), "no image");
  const first = await loadDataset({ kind: "folder", path }, options);
  const once = decoded.length;
  await cp(path, `${path}-2`, { recursive: true });
  const second = await loadDataset({ kind: "folder", path: `${path}-2` }, options);
  assert.equal(decoded.length, once);
  assert.equal(second.hash, first.hash);
  assert.deepEqual(
    second.skipped.map(({ file }) => file),
    [`${path}-2/train/cat/notes.txt`],
  );
});

test("procedural images are kept, and are those that the rule makes", async (context) => {
  const options = { cacheFolder: await temporaryFolder(context) };
  const source = { kind: "procedural", train: 400, test: 100, size: 32 } as const;
  const made = await loadDataset(source, options);
  assert.equal((await readdir(options.cacheFolder)).length, 1);
  const kept = await loadDataset(source, options);
  assert.deepEqual(kept, await loadDataset(source, { cacheFolder: false }));
  assert.equal(kept.hash, made.hash);
  assert.equal(await datasetHash(source, options), made.hash);
});

test("where nothing can be kept, data are loaded all the same, with a word about it", async (context) => {
  const { path, options } = await folderAndCache(context);
  const reports: string[] = [];
  // A file in the place of the folder: nobody can write below it, not even root.
  const cacheFolder = join(options.cacheFolder, "file");
  await writeFile(cacheFolder, "");
  const onReport = (line: string) => reports.push(line);
  const loaded = await loadDataset({ kind: "folder", path }, { cacheFolder, onReport });
  assert.equal(loaded.hash, (await loadDataset({ kind: "folder", path }, { cacheFolder: false })).hash);
  assert.match(reports.join("\n"), /^the decoded images are not kept: cannot write .*file/);
});

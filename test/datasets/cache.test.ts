import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rename, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { cachedSplits, type Recipe } from "../../lib/datasets/cache.js";
import { lockFolder } from "../../lib/util/folder-lock.js";
import { processIdentity } from "../../lib/util/process-identity.js";
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

test("an entry whose class names were edited is made anew, and what a killed import left is removed", async (context) => {
  const { path, options } = await folderAndCache(context);
  const source = { kind: "folder", path } as const;
  const first = await loadDataset(source, options);
  const entry = (await readdir(options.cacheFolder)).find((name) => /^[0-9a-f]{32}$/.test(name)) ?? "";
  const meta = join(options.cacheFolder, entry, "meta.json");
  const text = await readFile(meta, "utf8");
  await writeFile(meta, text.replaceAll("dog", "god"));
  // Of an import that was killed, and of one that is at work.
  const [left, living] = ["0", "1"].map((digit) => join(options.cacheFolder, digit.repeat(32)));
  assert.ok(left !== undefined && living !== undefined);
  for (const folder of [left, living]) {
    await mkdir(folder);
    await writeFile(join(folder, "train.bin"), "half");
  }
  const lock = await lockFolder(living);

  const reports: string[] = [];
  const again = await loadDataset(source, { ...options, onReport: (line) => reports.push(line) });
  assert.deepEqual(again.train.classNames, first.train.classNames);
  assert.match(reports.join("\n"), /meta\.json was changed after it was written.*decoding them again/);
  assert.equal(await readFile(meta, "utf8"), text);
  assert.deepEqual([existsSync(left), existsSync(join(living, "train.bin"))], [false, true]);
  await lock.release();
});

test("the lock of an import that was killed when all was written goes with the next load, a living one's stays", async (context) => {
  const { path, options, decoded } = await folderAndCache(context);
  const source = { kind: "folder", path } as const;
  await loadDataset(source, options);
  const once = decoded.length;
  const name = (await readdir(options.cacheFolder)).find((one) => /^[0-9a-f]{32}$/.test(one)) ?? "";
  const entry = join(options.cacheFolder, name);
  const whole = (await readdir(entry)).sort();
  // As it is left by a kill before the lock is removed, between its two parts, and after them.
  for (const left of [[".lock-owner.json", ".lock"], [".lock"], [".lock-guard"]]) {
    for (const one of left)
      await (one === ".lock-owner.json"
        ? writeFile(join(entry, one), JSON.stringify({ ...processIdentity(process.pid), startTime: "1" }))
        : mkdir(join(entry, one)));
    await loadDataset(source, options);
    assert.deepEqual((await readdir(entry)).sort(), whole);
  }
  const lock = await lockFolder(entry);
  await loadDataset(source, options);
  lock.assertHeld();
  await lock.release();
  assert.equal(decoded.length, once, "nothing is decoded again");
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

/** Splits of two images that are decoded slowly; says how often. */
function slowRecipe(decoding: () => Promise<void>): {
  readonly recipe: Recipe<"only">;
  readonly times: () => number;
} {
  let times = 0;
  const numbers = Int32Array.of(0, 1);
  const only = { labels: numbers, ids: numbers, size: { height: 1, width: 1 }, classNames: ["a", "b"] };
  const decode = async () => {
    times++;
    await decoding();
    return { splits: { only: { ...only, images: new Uint8Array(6).fill(times) } }, skipped: [] };
  };
  const source = { stamp: () => Promise.resolve("s"), fingerprint: () => Promise.resolve("f") };
  return { recipe: { source, settings: null, names: ["only"], decode }, times: () => times };
}

test("of several that begin at once one decodes, and the others read what it made", async (context) => {
  const told: string[] = [];
  const options = {
    cacheFolder: await temporaryFolder(context),
    onReport: (line: string) => told.push(line),
  };
  const { recipe, times } = slowRecipe(() => sleep(700));
  const all = await Promise.all(Array.from({ length: 4 }, () => cachedSplits(recipe, options)));
  assert.equal(times(), 1);
  assert.deepEqual(new Set(all.map(({ hash }) => hash)).size, 1);
  assert.deepEqual(told, Array(3).fill("another process decodes the same images; waiting for it"));
  const [entry = ""] = await readdir(options.cacheFolder);
  assert.deepEqual((await readdir(join(options.cacheFolder, entry))).sort(), ["meta.json", "only.bin"]);
});

test("who waits for one that fails decodes itself; a failure leaves nothing", async (context) => {
  const options = { cacheFolder: await temporaryFolder(context), onReport: () => undefined };
  let isFirst = true;
  const failsOnce = slowRecipe(async () => {
    const fails = isFirst;
    isFirst = false;
    await sleep(300);
    if (fails) throw new Error("broken off");
  });
  const [first, second] = await Promise.allSettled([
    cachedSplits(failsOnce.recipe, options),
    cachedSplits(failsOnce.recipe, options),
  ]);
  assert.deepEqual([first.status, second.status, failsOnce.times()].sort(), [2, "fulfilled", "rejected"]);
  const alwaysFails = slowRecipe(() => Promise.reject(new Error("broken off")));
  const other = { ...options, cacheFolder: join(options.cacheFolder, "other") };
  await assert.rejects(cachedSplits(alwaysFails.recipe, other), /broken off/);
  assert.deepEqual(await readdir(other.cacheFolder), []);
});

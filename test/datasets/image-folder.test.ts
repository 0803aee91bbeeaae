import assert from "node:assert/strict";
import { mkdir, readdir, readFile, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import sharp from "sharp";
import { loadDataset, loadImageSplit } from "../../lib/datasets/load.js";
import type { DatasetSource } from "../../lib/datasets/source.js";
import { UserError } from "../../lib/util/errors.js";
import { plainPng, smallImageFolder, tarGz, writeTree } from "./fixtures.js";
import { temporaryFolder } from "../temporary-folder.js";

const silent = { cacheFolder: false, onReport: () => undefined } as const;

/** Writes the small folder with changes (`null` leaves a file out) and gives its source. */
async function folderSource(
  context: TestContext,
  changes: Readonly<Record<string, Buffer | string | null>> = {},
) {
  const path = await temporaryFolder(context);
  const files = Object.entries({ ...(await smallImageFolder()), ...changes });
  await writeTree(
    path,
    Object.fromEntries(files.flatMap(([name, content]) => (content === null ? [] : [[name, content]]))),
  );
  return { kind: "folder", path } as const;
}

const rejects = (source: DatasetSource, message: RegExp) =>
  assert.rejects(loadDataset(source, silent), (error) => {
    assert.ok(error instanceof UserError, String(error));
    assert.match(error.message, message);
    return true;
  });

test("pixels, labels, ids and paths of both splits; numbers that come twice are no ids", async (context) => {
  const { train, test: held, hash, skipped } = await loadDataset(await folderSource(context), silent);
  assert.deepEqual(train.classNames, ["cat", "dog"]);
  assert.deepEqual(train.paths, ["cat/10.png", "cat/2.png", "dog/1.png"]);
  assert.deepEqual([...train.ids], [10, 2, 1]);
  assert.deepEqual([...train.labels], [0, 0, 1]);
  assert.deepEqual(train.size, { height: 8, width: 8 });
  for (const [n, colour] of [
    [10, 0, 0],
    [2, 0, 0],
    [1, 0, 9],
  ].entries())
    assert.deepEqual([...train.images.subarray(n * 192, n * 192 + 3)], colour);
  assert.deepEqual([...held.ids], [0, 1]);
  assert.deepEqual(skipped, []);
  const again = await loadDataset(await folderSource(context), silent);
  assert.equal(again.hash, hash, "the same content elsewhere has the same hash");
});

test("an archive of the folder gives the same data, whatever folder is around it", async (context) => {
  const root = await temporaryFolder(context);
  const files = await smallImageFolder();
  const entries = Object.entries(files).map(([path, content]) => ({ path: `./set/${path}`, content }));
  await writeFile(
    join(root, "set.tar.gz"),
    tarGz([{ path: "./set/", type: "Directory" }, ...entries.reverse()]),
  );
  const packed = await loadDataset({ kind: "folder", path: join(root, "set.tar.gz") }, silent);
  const plain = await loadDataset(await folderSource(context), silent);
  assert.equal(packed.hash, plain.hash);
  assert.deepEqual(packed.train.paths, plain.train.paths);
});

test("grey, transparent, 16-bit and JPEG images become RGB; a size resizes all", async (context) => {
  const picture = sharp({
    create: { width: 12, height: 4, channels: 4, background: { r: 90, g: 90, b: 90, alpha: 1 } },
  });
  const source = await folderSource(context, {
    "train/cat/3.png": await picture.clone().png().toBuffer(),
    "train/cat/4.png": await picture.clone().removeAlpha().greyscale().png().toBuffer(),
    "train/cat/5.png": await picture.clone().toColourspace("rgb16").png().toBuffer(),
    "train/cat/6.JPG": await picture.clone().jpeg({ quality: 100 }).toBuffer(),
  });
  const { train } = await loadDataset({ ...source, size: 5 }, silent);
  assert.deepEqual(train.size, { height: 5, width: 5 });
  for (const [n, path] of (train.paths ?? []).entries())
    if (/[3456]\./.test(path))
      assert.ok(
        train.images.subarray(n * 75, (n + 1) * 75).every((value) => Math.abs(value - 90) <= 2),
        path,
      );
  await rejects(source, /[3-6]\.(png|JPG) has 4 x 12 pixels.*8 x 8.*give a size/s);
});

test("a broken image is fatal or skipped, by choice, and always named", async (context) => {
  const whole = await plainPng([10, 0, 0]);
  const source = await folderSource(context, {
    "train/cat/5.jpg": "this is a text",
    "train/dog/7.png": whole.subarray(0, whole.length - 30),
    "train/dog/8.png": "",
    "train/dog/Thumbs.db": "not an image at all",
  });
  await rejects(source, /(5\.jpg: its content is neither JPEG nor PNG|7\.png|8\.png: the file is empty)/);
  const { train, skipped } = await loadDataset({ ...source, onBroken: "skip" }, silent);
  assert.deepEqual([...train.ids], [10, 2, 1]);
  assert.deepEqual([...train.labels], [0, 0, 1]);
  assert.deepEqual(
    [10, 2, 1],
    [0, 1, 2].map((n) => train.images[n * 192]),
  );
  const names = skipped.map(({ file }) => file.split("/").at(-1)).sort();
  assert.deepEqual(names, ["5.jpg", "7.png", "8.png", "Thumbs.db"]);
  assert.ok(skipped.every(({ reason }) => reason.length > 5));
  await rejects(
    { ...(await folderSource(context, { "train/dog/1.png": "broken" })), onBroken: "skip" },
    /every image of class dog/,
  );
});

test("missing, empty and misnamed folders get one sentence each", async (context) => {
  const empty = await temporaryFolder(context);
  await rejects(
    { kind: "folder", path: join(empty, "nowhere") },
    /cannot read .*nowhere: there is no such file/,
  );
  await rejects({ kind: "folder", path: empty }, /is empty/);
  const source = await folderSource(context);
  await mkdir(join(source.path, "train", "horse"));
  await rejects(source, /train\/horse: the class folder holds no/);
  await rejects(
    await folderSource(context, { "val/horse/1.png": "" }),
    /"horse" is none of the classes allowed: cat, dog/,
  );
  await rejects(
    await folderSource(context, { "val/cat/0.png": null, "val/dog/0.png": null }),
    /no test split: expected a folder named test or testing or val or valid or validation, found train/,
  );
});

test("a single split or a bare class folder is read against a model's classes", async (context) => {
  const source = await folderSource(context);
  const classNames = ["dog", "bird", "cat"];
  const held = await loadImageSplit(source.path, { ...silent, classNames });
  assert.deepEqual([...held.set.labels], [0, 2]);
  assert.deepEqual(held.set.classNames, classNames);
  const bare = await loadImageSplit(join(source.path, "train"), { ...silent, classNames, size: 4 });
  assert.deepEqual([...bare.set.labels], [0, 2, 2]);
  assert.deepEqual(bare.set.size, { height: 4, width: 4 });
  await assert.rejects(
    loadImageSplit(source.path, { ...silent, classNames: ["cat"] }),
    /"dog" is none of .* cat/,
  );
});

test("hostile archives are refused by name", async (context) => {
  const root = await temporaryFolder(context);
  const path = join(root, "set.tar.gz");
  const content = await plainPng([1, 2, 3]);
  const cases = [
    [tarGz([{ path: "../train/cat/1.png", content }]), /"\.\.\/train\/cat\/1\.png" leads out/],
    [tarGz([{ path: "train/../../x.png", content }]), /leads out/],
    [tarGz([{ path: "/train/cat/1.png", content }]), /absolute path/],
    [tarGz([{ path: "train/cat/1.png", type: "SymbolicLink" }]), /is a SymbolicLink/],
    [tarGz([{ path: "train/cat/1.png", content: new Uint8Array(200 * 2 ** 20) }]), /expands to more than/],
    [tarGz([{ path: "train/cat/1.png", content }]).subarray(0, 90), /not a whole \.tar\.gz archive/],
    [Buffer.from("no archive"), /not a whole \.tar\.gz archive/],
  ] as const;
  for (const [archive, message] of cases) {
    await writeFile(path, archive);
    await rejects({ kind: "folder", path }, message);
  }
  assert.deepEqual(await readdir(root), ["set.tar.gz"], "nothing is unpacked");
});

test("the second load comes from the cache; changed files and damaged entries are decoded anew", async (context) => {
  const source = await folderSource(context, { "train/cat/5.jpg": "broken" });
  const reports: string[] = [];
  let decoded = 0;
  const cacheFolder = await temporaryFolder(context);
  const options = {
    cacheFolder,
    onReport: (line: string) => reports.push(line),
    onProgress: () => decoded++,
  };
  const first = await loadDataset({ ...source, onBroken: "skip" }, options);
  const decodedOnce = decoded;
  const second = await loadDataset({ ...source, onBroken: "skip" }, options);
  assert.equal(decoded, decodedOnce);
  assert.deepEqual(
    { ...second.train, images: [...second.train.images] },
    { ...first.train, images: [...first.train.images] },
  );
  assert.deepEqual([second.hash, second.skipped], [first.hash, first.skipped]);

  const [entry = ""] = (await readdir(cacheFolder)).filter((name) => name !== "fingerprints");
  const file = join(cacheFolder, entry, "train.bin");
  const content = await readFile(file);
  content[content.length - 1] = (content.at(-1) ?? 0) ^ 1;
  await writeFile(file, content);
  assert.equal((await loadDataset({ ...source, onBroken: "skip" }, options)).hash, first.hash);
  await truncate(file, 10);
  assert.equal((await loadDataset({ ...source, onBroken: "skip" }, options)).hash, first.hash);
  const damage = reports.filter((line) => line.includes("damaged"));
  assert.match(damage.join("\n"), /^.*another checksum.*\n.*10 bytes.*$/);
  assert.match(reports[0] ?? "", /1 files skipped, the first is .*5\.jpg/);

  await writeFile(join(source.path, "train/cat/2.png"), await plainPng([77, 0, 0]));
  await utimes(join(source.path, "train/cat/2.png"), 1, 1);
  const changed = await loadDataset({ ...source, onBroken: "skip" }, options);
  assert.equal(changed.train.images[192], 77);
  assert.notEqual(changed.hash, first.hash);
});

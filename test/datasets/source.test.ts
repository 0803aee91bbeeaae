import assert from "node:assert/strict";
import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { loadDataset } from "../../lib/datasets/load.js";
import { parseDatasetSource } from "../../lib/datasets/parse-source.js";
import { sourceShape } from "../../lib/datasets/source-shape.js";
import { type DatasetSource, resolveDatasetSource } from "../../lib/datasets/source.js";
import { smallImageFolder, tarGz, writeTree } from "./fixtures.js";
import { temporaryFolder } from "../temporary-folder.js";

test("short texts stand for sources with their defaults", async () => {
  assert.deepEqual(await parseDatasetSource("cifar100=a/b=c"), {
    kind: "cifar100",
    path: "a/b=c",
    download: false,
    partial: false,
  });
  assert.deepEqual(await parseDatasetSource("folder=x"), { kind: "folder", path: "x", onBroken: "fail" });
  assert.equal((await parseDatasetSource("procedural")).kind, "procedural");
  await assert.rejects(
    parseDatasetSource("imagenet=x"),
    /no such data source: imagenet=x; use procedural, cifar10/,
  );
});

test("a path is what its content is", async (context) => {
  const folder = await temporaryFolder(context);
  await writeTree(folder, await smallImageFolder());
  assert.equal((await parseDatasetSource(folder)).kind, "folder");
  for (const kind of ["cifar10", "cifar100"])
    assert.deepEqual(await parseDatasetSource(`${kind}=${folder}`), {
      kind: "folder",
      path: folder,
      onBroken: "fail",
    });
  await assert.rejects(parseDatasetSource(join(folder, "none")), /there is no such file or folder/);
});

test("CIFAR batches behind a link within the folder are told from images", async (context) => {
  const batches = await temporaryFolder(context);
  await writeTree(batches, { "train.bin": "", "test.bin": "" });
  const folder = await temporaryFolder(context);
  await writeTree(folder, { "README.md": "where it is from" });
  await symlink(batches, join(folder, "batches"));
  await symlink("nowhere", join(folder, "lost"));
  await symlink(".", join(folder, "around"));
  for (const text of [folder, `cifar100=${folder}`])
    assert.equal((await parseDatasetSource(text)).kind, "cifar100");
});

test("the shape of a source is that of the data loaded from it", async (context) => {
  const folder = await temporaryFolder(context);
  const files = await smallImageFolder();
  await writeTree(folder, files);
  const archive = join(await temporaryFolder(context), "set.tar.gz");
  await writeFile(archive, tarGz(Object.entries(files).map(([path, content]) => ({ path, content }))));
  const sources: DatasetSource[] = [
    { kind: "procedural", classes: 3, size: 9, train: 12, test: 6 },
    { kind: "folder", path: folder },
    { kind: "folder", path: archive, size: 5 },
  ];
  for (const source of sources) {
    const { train, test: held } = await loadDataset(source, { cacheFolder: false });
    assert.deepEqual(await sourceShape(resolveDatasetSource(source)), {
      train: train.labels.length,
      test: held.labels.length,
      classes: train.classNames.length,
      side: train.size.height,
    });
  }
  const published = { train: 50000, test: 10000, side: 32 };
  for (const [source, classes] of [
    [{ kind: "cifar10" }, 10],
    [{ kind: "cifar100" }, 100],
    [{ kind: "cifar100", labels: "coarse" }, 20],
  ] as const)
    assert.deepEqual(await sourceShape(resolveDatasetSource(source)), { ...published, classes });
});

test("unknown fields and values out of range are named", () => {
  assert.throws(() => resolveDatasetSource({ kind: "folder", path: "x", onBrocken: "skip" }), /onBrocken/);
  assert.throws(() => resolveDatasetSource({ kind: "procedural", size: 4 }), /size: .*>=8/);
  assert.throws(() => resolveDatasetSource({ kind: "mnist" }), /kind/);
});

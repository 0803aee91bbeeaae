import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { parseDatasetSource } from "../../lib/datasets/parse-source.js";
import { resolveDatasetSource } from "../../lib/datasets/source.js";
import { smallImageFolder, temporaryFolder, writeTree } from "./fixtures.js";

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
  await assert.rejects(parseDatasetSource(join(folder, "none")), /there is no such file or folder/);
});

test("unknown fields and values out of range are named", () => {
  assert.throws(() => resolveDatasetSource({ kind: "folder", path: "x", onBrocken: "skip" }), /onBrocken/);
  assert.throws(() => resolveDatasetSource({ kind: "procedural", size: 4 }), /size: .*>=8/);
  assert.throws(() => resolveDatasetSource({ kind: "mnist" }), /kind/);
});

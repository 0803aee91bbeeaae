import assert from "node:assert/strict";
import { chmod, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { loadDataset, loadImageSplit } from "../../lib/datasets/load.js";
import { plainPng, smallImageFolder, writeTree } from "./fixtures.js";
import { temporaryFolder } from "../temporary-folder.js";

const silent = { cacheFolder: false, onReport: () => undefined } as const;
const small = await smallImageFolder();

/** The small folder with each path changed. */
function renamed(change: (path: string) => string): Record<string, Buffer> {
  return Object.fromEntries(Object.entries(small).map(([path, content]) => [change(path), content]));
}

async function written(
  context: TestContext,
  contents: Readonly<Record<string, Buffer | string>>,
): Promise<string> {
  const path = await temporaryFolder(context);
  await writeTree(path, contents);
  return path;
}

async function hashOf(path: string): Promise<string> {
  return (await loadDataset({ kind: "folder", path }, silent)).hash;
}

test("image folders as people have them are the same data", async (context) => {
  const plain = await hashOf(await written(context, small));
  const named = (train: string, val: string) =>
    renamed((path) => path.replace(/^train/, train).replace(/^val/, val));
  const upper = renamed((path) => path.replace(/png$/, "PNG"));
  const unlabelled = { "test/1.png": small["val/cat/0.png"] ?? "", "test/images/2.png": "never read" };
  const kinds: Readonly<Record<string, Readonly<Record<string, Buffer | string>>>> = {
    "other names": named("Training", "Validation"),
    "upper case": named("TRAIN", "TEST"),
    "upper-case endings": upper,
    "a file beside the splits, a folder around": {
      ...renamed((path) => `imagenette2/${path}`),
      "imagenette2/noisy_imagenette.csv": "path,label",
      "README.md": "what it is",
    },
    "folders around folders, strangers in all": {
      ...renamed((path) => `a/b/c/${path}`),
      "a/LICENSE": "",
      "a/docs/figure.png": "a picture about the data",
      "a/b/scripts/train/run.sh": "",
    },
    "left by a Mac and by Windows": {
      ...renamed((path) => `set/${path}`),
      "__MACOSX/set/train/cat/._2.png": "no image",
      "set/.DS_Store": "",
      "set/train/.DS_Store": "",
      "set/train/Thumbs.db": "",
      "set/@eaDir/x.png": "",
    },
    "a test split without labels beside a val split": { ...small, ...unlabelled },
  };
  for (const [kind, contents] of Object.entries(kinds))
    assert.equal(await hashOf(await written(context, contents)), plain, kind);
});

test("a class may be called as a split is; two data sets in one folder are told apart", async (context) => {
  const train = renamed((path) => path.replace("dog", "train"));
  const path = await written(context, train);
  const { train: set } = await loadDataset({ kind: "folder", path }, silent);
  assert.deepEqual(set.classNames, ["cat", "train"]);
  const bare = await loadImageSplit(join(path, "train"), { ...silent, classNames: ["cat", "train"] });
  assert.deepEqual([...bare.set.labels], [0, 0, 1]);

  const two = await written(context, {
    ...renamed((name) => `one/${name}`),
    ...renamed((name) => `two/${name}`),
  });
  await assert.rejects(hashOf(two), {
    name: "UserError",
    message: /several folders with splits of their own, such as one and two; give one of them/,
  });
});

test("links: to images and folders elsewhere they count, to nothing or in circles they are named", async (context) => {
  const path = await written(context, small);
  const elsewhere = await written(context, { "cat/7.png": await plainPng([7, 0, 0]) });
  const plain = await hashOf(path);
  await symlink(join(elsewhere, "cat"), join(path, "train", "cat", "more"));
  const { train } = await loadDataset({ kind: "folder", path }, silent);
  assert.deepEqual(train.paths?.slice(0, 3), ["cat/10.png", "cat/2.png", "cat/more/7.png"]);

  const linked = await written(context, small);
  await symlink(linked, join(linked, "train", "cat", "around"));
  const around = await loadDataset({ kind: "folder", path: linked }, silent);
  assert.equal(around.hash, plain);
  assert.deepEqual(around.skipped.length, 1);

  await symlink("nowhere", join(linked, "train", "cat", "9999.png"));
  await symlink("8888.png", join(linked, "train", "dog", "8888.png"));
  await assert.rejects(hashOf(linked), {
    name: "UserError",
    message:
      /cannot decode image .*train\/cat\/9999\.png: it is a link to nowhere, where there is no file; mend/,
  });
  const kept = await loadDataset({ kind: "folder", path: linked, onBroken: "skip" }, silent);
  assert.equal(kept.hash, plain);
  assert.deepEqual(
    kept.skipped.map(({ file }) => file.slice(linked.length + 1)),
    ["train/cat/around", "train/cat/9999.png", "train/dog/8888.png"],
  );
});

test("a folder that cannot be read is named", { skip: process.getuid?.() === 0 }, async (context) => {
  const path = await written(context, small);
  await mkdir(join(path, "train", "fox"), { mode: 0 });
  context.after(() => chmod(join(path, "train", "fox"), 0o700));
  await assert.rejects(hashOf(path), /cannot read .*train\/fox: permission is denied/);
});

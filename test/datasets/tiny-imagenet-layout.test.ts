import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { zipSync } from "fflate";
import sharp from "sharp";
import { loadDataset } from "../../lib/datasets/load.js";
import { parseDatasetSource } from "../../lib/datasets/parse-source.js";
import { UserError } from "../../lib/util/errors.js";
import { tarGz, writeTree } from "./fixtures.js";
import { temporaryFolder } from "../temporary-folder.js";

const silent = { cacheFolder: false, onReport: () => undefined } as const;

function jpeg(level: number): Promise<Buffer> {
  const create = {
    width: 64,
    height: 64,
    channels: 3,
    background: { r: level, g: level, b: level },
  } as const;
  return sharp({ create }).jpeg({ quality: 100 }).toBuffer();
}

/** Two classes; the level of grey tells the image: 10 to 30 in training, 100 and 110 in validation. */
async function tinySet(): Promise<Record<string, Buffer | string>> {
  const [fish, frog] = ["n01443537", "n01641577"];
  return {
    // The order of labels is the list's own, not the alphabet's.
    "wnids.txt": `${frog}\n${fish}\n`,
    "words.txt": `${fish}\tgoldfish, Carassius auratus\n${frog}\tbullfrog, Rana catesbeiana\nn09999999\tlake\n`,
    [`train/${fish}/images/${fish}_0.JPEG`]: await jpeg(10),
    [`train/${fish}/${fish}_boxes.txt`]: `${fish}_0.JPEG\t0\t10\t63\t58\n`,
    [`train/${frog}/images/${frog}_0.JPEG`]: await jpeg(20),
    [`train/${frog}/images/${frog}_1.JPEG`]: await jpeg(30),
    [`train/${frog}/${frog}_boxes.txt`]: `${frog}_0.JPEG\t0\t10\t63\t58\n`,
    "val/images/val_0.JPEG": await jpeg(100),
    "val/images/val_1.JPEG": await jpeg(110),
    "val/val_annotations.txt": `val_0.JPEG\t${fish}\t0\t32\t44\t62\nval_1.JPEG\t${frog}\t52\t55\t57\t59\n`,
    "test/images/test_0.JPEG": "no label, and never read",
  };
}

async function setWith(context: TestContext, changes: Readonly<Record<string, string | null>> = {}) {
  const path = await temporaryFolder(context);
  const files = Object.entries({ ...(await tinySet()), ...changes });
  await writeTree(
    path,
    Object.fromEntries(files.flatMap(([name, content]) => (content === null ? [] : [[name, content]]))),
  );
  return path;
}

test("both splits with the labels of wnids.txt and the names of words.txt, from a folder or an archive", async (context) => {
  const path = await setWith(context);
  const source = await parseDatasetSource(path);
  assert.deepEqual(source, { kind: "tinyimagenet", path, onBroken: "fail" });
  assert.deepEqual(await parseDatasetSource(`tinyimagenet=${path}`), source);
  const { train, test: held, hash, skipped } = await loadDataset(source, silent);
  assert.deepEqual(train.classNames, ["bullfrog", "goldfish"]);
  const levels = (set: typeof train) => Array.from(set.labels, (_, n) => set.images[n * 64 * 64 * 3]);
  assert.deepEqual(
    [[...train.labels], levels(train)],
    [
      [0, 0, 1],
      [20, 30, 10],
    ],
  );
  assert.deepEqual(
    [[...held.labels], levels(held)],
    [
      [0, 1],
      [110, 100],
    ],
  );
  assert.deepEqual([train.size, skipped], [{ height: 64, width: 64 }, []]);

  const packed = join(await temporaryFolder(context), "tiny.tar.gz");
  const entries = Object.entries(await tinySet()).map(([name, content]) => ({
    path: `tiny-imagenet-200/${name}`,
    content: Buffer.from(content),
  }));
  await writeFile(packed, tarGz(entries));
  const archived = await parseDatasetSource(packed);
  assert.equal(archived.kind, "tinyimagenet");
  assert.equal((await loadDataset(archived, silent)).hash, hash);
});

test("a damaged set is one clear error that names the place", async (context) => {
  const fish = "n01443537";
  const cases: readonly (readonly [Readonly<Record<string, string | null>>, RegExp])[] = [
    [{ "wnids.txt": null }, /holds no wnids\.txt.*unpack http.*tiny-imagenet-200/],
    [{ "wnids.txt": `${fish}\n${fish}\n` }, /wnids\.txt must name at least two classes, each once/],
    [{ "wnids.txt": `${fish}\nn09999999\n` }, /train\/n01641577 is no class that wnids\.txt names/],
    [{ [`train/${fish}/images/${fish}_0.JPEG`]: null }, /train\/n01443537\/images holds no \.JPEG image/],
    [{ "val/val_annotations.txt": null }, /val\/val_annotations\.txt is missing/],
    [{ "val/images/val_1.JPEG": null }, /entry 2 names val_1\.JPEG, which is not in val\/images/],
    [{ "val/images/val_2.JPEG": "" }, /val_annotations\.txt has no entry for val\/images\/val_2\.JPEG/],
    [
      { "val/val_annotations.txt": `val_0.JPEG\tn00000001\nval_1.JPEG\t${fish}\n` },
      /entry 1 has class "n00000001", which wnids\.txt does not name/,
    ],
    [
      { "val/val_annotations.txt": `val_0.JPEG\t${fish}\nval_0.JPEG\t${fish}\n` },
      /entry 2 names val_0\.JPEG a second time/,
    ],
    [{ [`train/${fish}/images/${fish}_0.JPEG`]: "a text" }, /n01443537_0\.JPEG: its content is neither/],
  ];
  for (const [changes, message] of cases) {
    const path = await setWith(context, changes);
    await assert.rejects(loadDataset({ kind: "tinyimagenet", path }, silent), (error) => {
      assert.ok(error instanceof UserError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
});

test("a class without a name, or with a name that another has, goes by its id", async (context) => {
  const unnamed = await setWith(context, { "words.txt": null });
  const ids = ["n01641577", "n01443537"];
  const names = async (path: string) =>
    (await loadDataset({ kind: "tinyimagenet", path }, silent)).train.classNames;
  assert.deepEqual(await names(unnamed), ids);
  const twice = await setWith(context, { "words.txt": ids.map((id) => `${id}\tcrane, bird\n`).join("") });
  assert.deepEqual(await names(twice), ids);
});

test("as people have it: zipped, in a folder, val sorted into classes, strangers among the images", async (context) => {
  const published = await loadDataset(await parseDatasetSource(await setWith(context)), silent);
  const {
    "val/images/val_0.JPEG": fish = "",
    "val/images/val_1.JPEG": frog = "",
    ...others
  } = await tinySet();

  const zip = join(await temporaryFolder(context), "tiny-imagenet-200.zip");
  const entries = Object.entries(await tinySet()).map(([path, content]) => [
    `tiny-imagenet-200/${path}`,
    new Uint8Array(Buffer.from(content)),
  ]);
  await writeFile(zip, zipSync(Object.fromEntries(entries) as Record<string, Uint8Array>));

  const around = await temporaryFolder(context);
  await writeTree(join(around, "data", "tiny-imagenet-200"), await tinySet());

  const sorted = await temporaryFolder(context);
  await writeTree(sorted, {
    ...others,
    "val/n01443537/images/val_0.JPEG": fish,
    "val/n01641577/images/val_1.JPEG": frog,
  });
  const flat = await temporaryFolder(context);
  await writeTree(flat, { ...others, "val/n01443537/val_0.JPEG": fish, "val/n01641577/val_1.JPEG": frog });

  for (const path of [zip, around, sorted, flat]) {
    const source = await parseDatasetSource(path);
    assert.equal(source.kind, "tinyimagenet", path);
    const { hash, skipped } = await loadDataset(source, silent);
    assert.deepEqual([hash, skipped], [published.hash, []], path);
  }
  // Sorted, it is an image folder too; the published "test" has no labels, so "val" is the test split.
  const folder = await loadDataset({ kind: "folder", path: sorted }, silent);
  assert.deepEqual([...folder.test.labels], [0, 1]);

  const thumbs = await setWith(context, { "val/images/Thumbs.db": "x", "val/images/desktop.ini": "x" });
  const { hash, skipped } = await loadDataset({ kind: "tinyimagenet", path: thumbs }, silent);
  assert.equal(hash, published.hash);
  assert.deepEqual(skipped.map(({ file }) => file.slice(thumbs.length)).sort(), [
    "/val/images/Thumbs.db",
    "/val/images/desktop.ini",
  ]);
});

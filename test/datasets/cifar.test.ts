import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { CIFAR_FORMATS } from "../../lib/datasets/cifar.js";
import { loadDataset } from "../../lib/datasets/load.js";
import { parseDatasetSource } from "../../lib/datasets/parse-source.js";
import { cifarRecords, tarGz, temporaryFolder, writeTree } from "./fixtures.js";

const silent = { cacheFolder: false } as const;

/** Three records in each CIFAR-10 batch, with changes. */
async function cifar10Folder(context: TestContext, changes: Readonly<Record<string, Buffer>> = {}) {
  const path = await temporaryFolder(context);
  const files = CIFAR_FORMATS.cifar10.files.map(
    ({ file }, b) => [file, cifarRecords(3, (n) => [(b + n) % 10])] as const,
  );
  const contents = { ...Object.fromEntries(files), ...changes };
  await writeTree(path, contents);
  return { path, contents };
}

test("CIFAR-10: planes become pixels, labels and running ids over all batches; archive and folder agree", async (context) => {
  const { path, contents } = await cifar10Folder(context);
  const { train, test: held, hash } = await loadDataset({ kind: "cifar10", path, partial: true }, silent);
  assert.deepEqual([...train.labels], [0, 1, 2, 1, 2, 3, 2, 3, 4, 3, 4, 5, 4, 5, 6]);
  assert.deepEqual([...held.labels], [5, 6, 7]);
  assert.deepEqual([...train.ids], [...Array(15).keys()]);
  assert.deepEqual([train.classNames[0], train.classNames[9]], ["airplane", "truck"]);
  const batch = contents["data_batch_2.bin"] ?? Buffer.alloc(0);
  for (let pixel = 0; pixel < 1024; pixel++)
    for (let c = 0; c < 3; c++)
      assert.equal(train.images[(4 * 1024 + pixel) * 3 + c], batch[3073 + 1 + c * 1024 + pixel]);

  const archive = join(path, "cifar.tar.gz");
  const entries = Object.entries(contents).map(([name, content]) => ({
    path: `cifar-10-batches-bin/${name}`,
    content,
  }));
  await writeFile(archive, tarGz(entries));
  assert.equal((await loadDataset({ kind: "cifar10", path: archive, partial: true }, silent)).hash, hash);
  assert.deepEqual((await parseDatasetSource(archive)).kind, "cifar10");
  assert.deepEqual((await parseDatasetSource(path)).kind, "cifar10");
  const whole = tarGz(entries);
  await writeFile(archive, whole.subarray(0, whole.length / 2));
  await assert.rejects(
    loadDataset({ kind: "cifar10", path: archive }, silent),
    /not a whole \.tar\.gz archive/,
  );
});

test("CIFAR-100 keeps superclasses and classes", async (context) => {
  const path = await temporaryFolder(context);
  const records = cifarRecords(4, (n) => [n, 99 - n]);
  await writeTree(path, { "train.bin": records, "test.bin": records });
  const { train } = await loadDataset({ kind: "cifar100", path, partial: true }, silent);
  assert.deepEqual([...train.labels], [99, 98, 97, 96]);
  assert.deepEqual([...(train.coarseLabels ?? [])], [0, 1, 2, 3]);
  assert.deepEqual(
    [train.classNames.length, train.classNames[0], train.classNames[99]],
    [100, "apple", "worm"],
  );
  assert.equal(train.images[3072], records[3074 + 2]);

  const cacheFolder = await temporaryFolder(context);
  await loadDataset({ kind: "cifar100", path, partial: true }, { cacheFolder });
  const kept = await loadDataset({ kind: "cifar100", path, partial: true }, { cacheFolder });
  assert.deepEqual([...(kept.train.coarseLabels ?? [])], [0, 1, 2, 3]);
  assert.deepEqual(kept.train.images, train.images);
});

test("CIFAR-100 is trained on its superclasses where the source says so, as data of its own", async (context) => {
  const path = await temporaryFolder(context);
  const records = cifarRecords(4, (n) => [n, 99 - n]);
  await writeTree(path, { "train.bin": records, "test.bin": records });
  const source = { kind: "cifar100", path, partial: true } as const;
  const fine = await loadDataset({ ...source, labels: "fine" }, silent);
  const { train, test: held, hash } = await loadDataset({ ...source, labels: "coarse" }, silent);
  for (const set of [train, held]) {
    assert.deepEqual([...set.labels], [0, 1, 2, 3]);
    assert.equal(set.coarseLabels, undefined);
  }
  assert.deepEqual([train.classNames.length, train.classNames[0]], [20, "aquatic_mammals"]);
  assert.deepEqual(train.images, fine.train.images);
  assert.notEqual(hash, fine.hash);
  assert.equal((await loadDataset(source, silent)).hash, fine.hash);
});

test("wrong sizes, counts and labels and missing files name file, record and what is allowed", async (context) => {
  const load = async (changes: Readonly<Record<string, Buffer>>, partial = true) => {
    const { path } = await cifar10Folder(context, changes);
    await loadDataset({ kind: "cifar10", path, partial }, silent);
  };
  await assert.rejects(
    load({ "data_batch_3.bin": cifarRecords(2, () => [1]).subarray(1) }),
    /data_batch_3\.bin has 6145 bytes, not a whole/,
  );
  await assert.rejects(load({ "test_batch.bin": Buffer.alloc(0) }), /test_batch\.bin has 0 bytes/);
  await assert.rejects(
    load({ "data_batch_5.bin": cifarRecords(3, (n) => [8 + n]) }),
    /data_batch_5\.bin: record 2 has label 10, allowed are 0 to 9/,
  );
  await assert.rejects(load({}, false), /data_batch_1\.bin has 3 records, the published one 10000/);
  const empty = await temporaryFolder(context);
  await assert.rejects(loadDataset({ kind: "cifar100", path: empty }, silent), /train\.bin is missing/);
  await assert.rejects(
    loadDataset({ kind: "cifar100" }, silent),
    /needs the path of its archive or folder, or download/,
  );
});

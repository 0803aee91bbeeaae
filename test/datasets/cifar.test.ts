import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { CIFAR_FORMATS } from "../../lib/datasets/cifar.js";
import { loadDataset } from "../../lib/datasets/load.js";
import { parseDatasetSource } from "../../lib/datasets/parse-source.js";
import { cifarRecords, pythonBatch, tarGz, writeTree } from "./fixtures.js";
import { temporaryFolder } from "../temporary-folder.js";

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

test("the Python version, packed or unpacked, gives the very data of the binary version", async (context) => {
  for (const kind of ["cifar10", "cifar100"] as const) {
    const { files, python } = CIFAR_FORMATS[kind];
    const records = cifarRecords(3, (n) => (kind === "cifar10" ? [9 - n] : [n, 50 + n]));
    const root = await temporaryFolder(context);
    await writeTree(join(root, "bin"), Object.fromEntries(files.map(({ file }) => [file, records])));
    const binary = await loadDataset({ kind, path: join(root, "bin"), partial: true }, silent);

    const batch = pythonBatch(records, python.labels);
    const batches = files.map(({ file }) => [`${python.folder}/${file.replace(".bin", "")}`, batch] as const);
    await writeTree(join(root, "keras"), Object.fromEntries(batches));
    const archive = join(root, "python.tar.gz");
    await writeFile(archive, tarGz(batches.map(([path, content]) => ({ path, content }))));
    for (const path of [archive, join(root, "keras"), join(root, "keras", python.folder)]) {
      const { hash } = await loadDataset({ kind, path, partial: true }, silent);
      assert.equal(hash, binary.hash, path);
    }
    for (const path of [archive, join(root, "keras"), join(root, "keras", python.folder)])
      assert.equal((await parseDatasetSource(path)).kind, kind);
  }
});

test("a pickle is read as data or not at all", async (context) => {
  const load = async (content: Buffer) => {
    const folder = await temporaryFolder(context);
    await writeTree(folder, { data_batch_1: content });
    await loadDataset({ kind: "cifar10", path: folder }, silent);
  };
  const good = pythonBatch(
    cifarRecords(2, () => [1]),
    ["labels"],
  );
  const cases = [
    [Buffer.from("cos\nsystem\nX\x02\0\0\0ls\x85R.", "latin1"), /names "os system"/],
    [Buffer.from("\x80\x02c__builtin__\neval\n.", "latin1"), /names "__builtin__ eval"/],
    [Buffer.from("cconstructor\nname\n.", "latin1"), /names "constructor name"/],
    [good.subarray(0, 3000), /ends too early/],
    [Buffer.from("]."), /is no batch of CIFAR's Python version: it lacks data or labels/],
    [Buffer.from("\x80\x02}\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.", "latin1"), /ends too early/],
    [Buffer.from("ttt."), /values do not add up/],
    [Buffer.from("(dp0\n."), /opcode 0x64 is not for plain data/],
  ] as const;
  for (const [content, message] of cases) await assert.rejects(load(content), { name: "UserError", message });
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

import assert from "node:assert/strict";
import { cp, lstat, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { test, type TestContext } from "node:test";
import { findRun } from "../../../lib/experiments/comparing/find-run.js";
import { loadDataset } from "../../../lib/datasets/load.js";
import { noteImages, runDataset, runOutcome } from "../../../lib/experiments/runs/run-images.js";
import { listRuns, readRun } from "../../../lib/experiments/runs/run-record.js";
import { openRun } from "../../../lib/experiments/runs/run-store.js";
import { parseRunSpec, type RunSpec } from "../../../lib/experiments/specs/spec.js";
import { trainingRun } from "../../../lib/experiments/runs/training-run.js";
import { checkImages } from "../../../lib/studies/replication/check-images.js";
import { plainPng, writeTree } from "../../datasets/fixtures.js";
import { temporaryFolder } from "../../temporary-folder.js";
import { tinyRunSpec } from "../tiny-run.js";
import { specHash } from "../../../lib/experiments/specs/spec-hash.js";

/** Red and blue images of 8 x 8 pixels, and a folder for runs. */
async function imagesAndRuns(context: TestContext): Promise<{ set: string; root: string }> {
  const folder = await temporaryFolder(context);
  const set = join(folder, "set");
  for (let n = 0; n < 20; n++)
    await writeTree(set, {
      [`train/red/${n}.png`]: await plainPng([200, n, 0]),
      [`train/blue/${n}.png`]: await plainPng([0, n, 200]),
      [`test/red/${n}.png`]: await plainPng([220, n, 0]),
      [`test/blue/${n}.png`]: await plainPng([0, n, 220]),
    });
  return { set, root: join(folder, "runs") };
}

function specOn(path: string): RunSpec {
  return parseRunSpec({ ...tinyRunSpec("cascaded-td"), data: { kind: "folder", path } }, "test");
}

/** Two folders under each other's names: sizes and times of all files stay as they are. */
async function swap(one: string, other: string): Promise<void> {
  await rename(one, `${one}.aside`);
  await rename(other, one);
  await rename(`${one}.aside`, other);
}

test("images that changed under a finished run are noticed, by whoever uses it with them", async (context) => {
  const { set, root } = await imagesAndRuns(context);
  const spec = specOn(set);
  const quiet = { root, quiet: true };
  const directory = await trainingRun(spec, quiet);
  const { hash } = await loadDataset(spec.data);
  const noted = JSON.parse(await readFile(join(directory, "data.json"), "utf8")) as unknown;
  const size = { height: 8, width: 8 };
  const classNames = ["blue", "red"];
  assert.deepEqual(noted, { name: "set", hash, train: 40, test: 40, size, classNames });
  assert.ok(readRun(directory).done?.files["data.json"] !== undefined);

  await swap(join(set, "test", "red"), join(set, "test", "blue"));
  const now = (await loadDataset(spec.data)).hash;
  const says = new RegExp(
    `the images of ${directory} have changed: it was run on set with hash ${hash.slice(0, 12)} ` +
      `\\(40 training, 40 test images\\), but ${set} now has hash ${now.slice(0, 12)}; put .* back, or delete`,
  );
  const training = { directory: basename(directory), spec };
  for (const use of [
    () => trainingRun(spec, quiet),
    () => runDataset(directory),
    () => checkImages([training], root, () => undefined),
  ])
    await assert.rejects(use, says);

  await swap(join(set, "test", "red"), join(set, "test", "blue"));
  assert.equal(await trainingRun(spec, quiet), directory);
  assert.equal((await runDataset(directory)).hash, hash);

  // Runs from before there was data.json name their images in DONE.json.
  const path = join(directory, "DONE.json");
  const done = JSON.parse(await readFile(path, "utf8")) as { files: Record<string, string>; sum?: string };
  delete done.files["data.json"];
  delete done.sum;
  await writeFile(path, JSON.stringify(done));
  await rm(join(directory, "data.json"));
  assert.equal(await trainingRun(spec, quiet), directory);
  await swap(join(set, "test", "red"), join(set, "test", "blue"));
  await assert.rejects(trainingRun(spec, quiet), /have changed: it was run on set with hash/);

  // Deleted and run anew as the sentence says, it has the same name, but its analyses are not those of before.
  const before = runOutcome(directory);
  await rm(directory, { recursive: true });
  assert.equal(await trainingRun(spec, quiet), directory);
  const after = runOutcome(directory);
  assert.equal(after["run"], before["run"]);
  assert.deepEqual([before["images"], after["images"]], [hash, now]);

  const warnings: string[] = [];
  await rm(set, { recursive: true });
  assert.equal(await trainingRun(spec, { ...quiet, warn: (line) => warnings.push(line) }), directory);
  assert.match(warnings.join(), /cannot be compared .* there is no such file/);
});

test("a half-finished run does not go on over other images", async (context) => {
  const { set, root } = await imagesAndRuns(context);
  const spec = specOn(set);
  const run = await openRun({ root, name: "cascaded-td", spec, warn: () => undefined });
  await noteImages(run, await loadDataset(spec.data), spec.data);
  await run.release();
  await rm(join(set, "train", "red", "0.png"));
  await assert.rejects(
    trainingRun(spec, { root, quiet: true }),
    /have changed: it was begun on set with hash \w+ \(40 training.* delete .*cascaded-td-\w+ to train/,
  );
});

test("the same training on the same images at another path is the same run, found under both names", async (context) => {
  const { set, root } = await imagesAndRuns(context);
  const directory = await trainingRun(specOn(set), { root, quiet: true });
  const copy = `${set}-copy`;
  await cp(set, copy, { recursive: true });
  const elsewhere = specOn(copy);
  assert.equal(await trainingRun(elsewhere, { root, quiet: true }), directory);
  const names = [directory, join(root, `cascaded-td-${specHash(elsewhere)}`)].map((path) => basename(path));
  assert.deepEqual((await readdir(root)).sort(), names.sort());
  assert.deepEqual(readRun(join(root, `cascaded-td-${specHash(elsewhere)}`)).done, readRun(directory).done);
  // It is counted once, and found by the beginning of either hash; a run that lies elsewhere is one of this root too.
  const shared = join(root, "..", "shared");
  await mkdir(shared);
  await symlink(root, join(shared, "runs"));
  await symlink(directory, join(shared, "linked"));
  const listed = (folder: string) => listRuns(folder).map((record) => basename(record.directory));
  assert.deepEqual(listed(root), [basename(directory)]);
  assert.deepEqual(listed(join(shared, "runs")), [basename(directory)]);
  assert.deepEqual(listed(shared), ["linked"]);
  for (const name of names) assert.equal(basename(findRun(name.slice(-12, -4), root).directory), name);

  await rm(join(copy, "train", "red", "0.png"));
  const link = join(root, `cascaded-td-${specHash(elsewhere)}`);
  await assert.rejects(
    trainingRun(elsewhere, { root, quiet: true }),
    new RegExp(`images of ${link} have changed`),
  );
  await rm(link);
  const another = await trainingRun(elsewhere, { root, quiet: true });
  assert.equal(another, link);
  assert.equal((await lstat(link)).isDirectory(), true);

  // A link whose run was deleted is in nobody's way.
  const third = specOn(`${set}-third`);
  await cp(set, `${set}-third`, { recursive: true });
  await trainingRun(third, { root, quiet: true });
  await rm(directory, { recursive: true });
  assert.equal(await trainingRun(third, { root, quiet: true }), join(root, `cascaded-td-${specHash(third)}`));
});

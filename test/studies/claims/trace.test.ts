import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { presetNamed } from "../../../lib/experiments/specs/presets.js";
import { specHash } from "../../../lib/experiments/specs/spec-hash.js";
import { parseRunSpec } from "../../../lib/experiments/specs/spec.js";
import { runSummary } from "../../../lib/experiments/runs/run-summary.js";
import { testImages, trainingImages } from "../../../lib/experiments/runs/image-splits.js";
import { QUICK_DATA } from "../../../lib/studies/quick.js";
import { runStudy } from "../../../lib/studies/run-study.js";
import { CIFAR10_CLASSES } from "../../../lib/datasets/cifar-classes.js";
import { StudyContext } from "../../../lib/studies/study-context.js";
import { TRACE_SETTINGS, traceStudy } from "../../../lib/studies/claims/trace/study.js";
import { RULES } from "../../../lib/studies/claims/trace/stopping.js";
import { atSide, photographsOf } from "../../../lib/studies/claims/trace/photographs.js";
import { tracedImages } from "../../../lib/studies/claims/trace/traced-images.js";
import { folderOfTests } from "../../temporary-folder.js";

const root = folderOfTests("trace-study");

const SETTINGS = TRACE_SETTINGS.quick;
const context = new StudyContext(QUICK_DATA, root);

test("specs without held-out classes keep their hash; the networks of both parts share nothing by mistake", () => {
  const { data, ...rest } = presetNamed("cascaded-td");
  assert.equal(specHash(parseRunSpec({ data, ...rest }, "a spec")), specHash(presetNamed("cascaded-td")));
  const specs = traceStudy.trainings(SETTINGS, QUICK_DATA);
  assert.equal(new Set(specs.map(specHash)).size, 5);
  assert.deepEqual(
    specs.map((spec) => spec.heldOutClasses),
    [undefined, undefined, undefined, [3, 9], [3, 9]],
  );
});

test("classes held out are in neither training, validation nor test", async () => {
  const dataset = await context.dataset();
  const spec = parseRunSpec(
    { ...presetNamed("cascaded-td"), data: QUICK_DATA, heldOutClasses: [3, 9], trainImages: 160 },
    "a spec",
  );
  const { train, validation } = trainingImages(spec, dataset);
  assert.equal(train.labels.length + validation.labels.length, 160);
  for (const set of [train, validation, testImages(spec, dataset)]) {
    assert.deepEqual(set.classNames, dataset.train.classNames.toSpliced(9, 1).toSpliced(3, 1));
    for (const id of set.ids) assert.ok(![3, 9].includes(id % 10), `image ${id} is of a held-out class`);
  }
  const ids = new Set([...train.ids, ...validation.ids]);
  assert.equal(ids.size, 160);
});

test("the quick study runs from training to figures, and a second time from the cache", async () => {
  const result = await runStudy(traceStudy, SETTINGS, context);
  assert.equal(result.findings.length, 3 + 7 + 8);
  assert.ok(
    result.findings.every(({ outcome }) => outcome === "not decided"),
    "one seed decides nothing",
  );
  const [judging, stopping, novelty] = result.tables.map(({ rows }) => rows);
  assert.equal(judging?.length, 3 * 9);
  assert.equal(stopping?.length, 3 * RULES.length);
  assert.equal(novelty?.length, 2 * 2 * 8);
  const learnt = novelty
    .filter((row) => row["learnt from"] !== "in-distribution images")
    .map((row) => row["detector"]);
  assert.deepEqual([...new Set(learnt)], ["GRU"]);
  assert.equal(result.figures.length, 4);

  const classes = traceStudy
    .trainings(SETTINGS, QUICK_DATA)
    .map((spec) => runSummary(context.run(spec)).classNames.length);
  assert.deepEqual(classes, [10, 10, 10, 8, 8]);
  const cached = readdirSync(join(root, "analyses")).length;
  const again = await traceStudy.analyse(SETTINGS, new StudyContext(QUICK_DATA, root));
  assert.equal(readdirSync(join(root, "analyses")).length, cached);
  assert.deepEqual(again, result);
});

test("images for the explorer stand beside their trace, with what the GRUs say of it", async () => {
  const { trace, images, signals = [] } = await tracedImages(SETTINGS, context);
  assert.deepEqual([images.ids, images.labels], [trace.ids, trace.labels]);
  for (const { values } of signals) assert.equal(values.length, trace.timesteps * trace.examples);
  const [right, gain] = signals;
  assert.ok(Array.from(right?.values ?? [NaN]).every((value) => value > 0 && value < 1));
  // At the end there is nothing to wait for: both GRUs judge the same answer, each in its own way.
  assert.ok(Math.abs((gain?.values[gain.values.length - 1] ?? NaN) - 1) < 0.5);
});

test("classes of TinyImageNet that are kinds of CIFAR-10's are no out-of-distribution images for it", async () => {
  const source = { kind: "procedural", classes: 6, size: 8, train: 24, test: 24, seed: 7 } as const;
  const [other] = await new StudyContext(QUICK_DATA, root, undefined, [
    { name: "other", source },
  ]).otherDatasets();
  assert.ok(other);
  const classNames = ["tabby", "lemon", "nail", "goose", "sock", "reel"];
  const { train, test: tested } = other.dataset;
  const dataset = { ...other.dataset, train: { ...train, classNames }, test: { ...tested, classNames } };
  const of = (known: readonly string[]): unknown => {
    const { learn, test } = photographsOf({ name: "tinyimagenet", dataset }, known, 8, 0);
    return { learn: learn.classNames, test: test.classNames };
  };
  assert.deepEqual(of(CIFAR10_CLASSES), { learn: ["lemon", "sock"], test: ["nail", "reel"] });
  assert.deepEqual(of(["apple", "pear"]), {
    learn: ["tabby", "nail", "sock"],
    test: ["lemon", "goose", "reel"],
  });
});

test("photographs of another data set are told apart too, on classes that nothing learnt from", async () => {
  const source = { kind: "procedural", classes: 6, size: 64, train: 120, test: 60, seed: 7 } as const;
  const others = [{ name: "others", source }];
  const beside = new StudyContext(QUICK_DATA, root, undefined, others);
  const images = SETTINGS.outOfDistributionImages;
  const [other] = await beside.otherDatasets();
  assert.ok(other);
  const set = atSide(photographsOf(other, [], images, 0), 16, other.name);
  assert.deepEqual([set.learn.size.height, set.test.size.height], [16, 16]);
  assert.deepEqual([set.learn.labels.length, set.test.labels.length], [images, 30]);
  const learnt = new Set(set.learn.classNames);
  assert.equal(learnt.size, 3);
  assert.ok(set.test.classNames.every((name) => !learnt.has(name)));
  const result = await runStudy(traceStudy, SETTINGS, beside);
  const rows = result.tables.find(({ name }) => name === "novelty")?.rows ?? [];
  assert.equal(rows.length, 2 * 3 * 8);
  const told = result.tables.find(({ name }) => name === "photographs")?.rows[0];
  assert.deepEqual([told?.["images learnt from"], told?.["images tested on"]], [images, 30]);
  const renamed = new StudyContext(QUICK_DATA, root, undefined, [{ name: "renamed", source }]);
  const again = (await traceStudy.analyse(SETTINGS, renamed)).tables.find(({ name }) => name === "novelty");
  assert.ok(again?.rows.some((row) => row["out of distribution"] === "photographs of renamed"));
  const own = await traceStudy.analyse(SETTINGS, context);
  const without = rows.filter((row) => row["out of distribution"] !== "photographs of others");
  assert.deepEqual(without, own.tables.find(({ name }) => name === "novelty")?.rows);
  assert.equal(result.findings.length, own.findings.length + 4);
  assert.ok(result.findings.slice(-4).every(({ by, carries }) => by === "project" && !carries));
});

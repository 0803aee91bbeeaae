import assert from "node:assert/strict";
import { parseOverrides } from "../../../lib/cli/overrides.js";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { resolveDatasetSource } from "../../../lib/datasets/source.js";
import { readRun } from "../../../lib/experiments/runs/run-record.js";
import { closeBrowser } from "../../../lib/figures/browser.js";
import { PROTOCOLS } from "../../../lib/studies/replication/protocols.js";
import { analyseParts, writeReport } from "../../../lib/studies/replication/results.js";
import { planReplication } from "../../../lib/studies/replication/replication.js";
import { readStudyRecord, writeStudyRecord } from "../../../lib/studies/replication/study-record.js";
import { runTrainings } from "../../../lib/studies/replication/training-processes.js";
import { UserError } from "../../../lib/util/errors.js";
import { Stopped } from "../../../lib/util/stopping.js";
import { temporaryFolder } from "../../temporary-folder.js";
import { SMALL_DATA, SMALL_PROTOCOL, smallStudy } from "../small-study.js";
import { small, shapeOfAll } from "./replication-helpers.js";

after(closeBrowser);

test("a training that several studies need is one; seeds and a change are of all studies", () => {
  const { parts, trainings } = small(smallStudy("one", [0, 1]), smallStudy("two", [1, 2]));
  assert.deepEqual(
    parts.map((part) => part.trainings.map(({ spec }) => spec.seed)),
    [
      [0, 1],
      [1, 2],
    ],
  );
  assert.deepEqual(
    trainings.map(({ spec }) => spec.seed),
    [0, 1, 2],
  );
  const changed = planReplication({
    protocol: SMALL_PROTOCOL,
    studies: [smallStudy("one", [0, 1], { change: { train: { epochs: 3 } } }), smallStudy("two", [1])],
    data: [SMALL_DATA],
    seeds: [7],
    change: { train: { epochs: 4 } },
  });
  assert.deepEqual(
    changed.trainings.map(({ spec }) => [spec.seed, spec.train.epochs]),
    [[7, 4]],
  );
});

test("what a protocol wants and does not get is named, with where to get it", () => {
  const studies = [
    smallStudy("plain", [0]),
    smallStudy("typical", [0], { fallbacks: { "C-scores": "looks at less" } }),
  ];
  const cifar10 = { name: "cifar10", source: resolveDatasetSource({ kind: "cifar10", path: "a" }) };
  const { parts, without } = planReplication({ protocol: PROTOCOLS.full, studies, data: [cifar10] });
  assert.deepEqual(
    parts.map(({ data, study }) => `${study.name} on ${data.name}`),
    ["plain on cifar10", "typical on cifar10"],
  );
  assert.equal(without.length, 3);
  assert.match(without[0] ?? "", /^cifar100 .*--data cifar100.*https:/);
  assert.match(without[1] ?? "", /^tinyimagenet .*unpack http.*--data tinyimagenet=<folder>/);
  assert.match(without[2] ?? "", /^cifar10, C-scores: "A small study called typical" looks at less$/);
  const scored = { ...cifar10, source: resolveDatasetSource({ ...cifar10.source, cScores: "b" }) };
  assert.equal(planReplication({ protocol: PROTOCOLS.full, studies, data: [scored] }).without.length, 2);

  const refused = (change: object, message: RegExp): void => {
    assert.throws(
      () => planReplication({ protocol: PROTOCOLS.reduced, studies, data: [], ...change }),
      (error) => error instanceof UserError && message.test(error.message),
    );
  };
  refused({}, /protocol reduced has no data to work on: cifar10 \(--data cifar10 downloads it/);
  refused({ data: [cifar10], only: ["plain", "six"] }, /no study "six"; there are plain, typical$/);
  refused(
    { data: [cifar10], change: parseOverrides(["train.epoch=1"]) },
    /train\.epoch is not a known field/,
  );
});

test("from nothing to results and report; a second time nothing is trained", async (context) => {
  const folder = await temporaryFolder(context);
  const replication = small(smallStudy("one", [0, 1]), smallStudy("two", [1]));
  const { trainings } = replication;
  const runs = join(folder, "runs");
  const before = await shapeOfAll(trainings, runs);
  assert.deepEqual(
    before.map(({ state, images, totalImages }) => [state, images, totalImages]),
    // 80 images, an eighth of them held out, in whole batches of 16, two epochs.
    trainings.map(() => ["not begun", 0, 2 * 64]),
  );
  const outcomes = await runTrainings(trainings, { root: runs, jobs: 2, threads: 1 });
  assert.deepEqual(
    outcomes.map(({ state }) => state),
    ["done", "done"],
  );
  assert.deepEqual(
    (await shapeOfAll(trainings, runs)).map(({ state, images }) => [state, images]),
    trainings.map(() => ["done", 2 * 64]),
  );
  const environment = readRun(join(runs, trainings[0]?.directory ?? "")).environments[0];
  assert.equal((environment as { threads: number }).threads, 1);

  const folders = { runs, results: join(folder, "results"), prints: join(folder, "prints") };
  assert.deepEqual(await analyseParts(replication, folders), []);
  const place = join(folders.results, "quick", "procedural");
  assert.deepEqual(readdirSync(place).sort(), [
    "one-accuracy.svg",
    "one.arrow",
    "one.json",
    "two-accuracy.svg",
    "two.arrow",
    "two.json",
  ]);
  assert.deepEqual(readdirSync(join(folders.prints, "quick", "procedural")).sort(), [
    "one-accuracy.pdf",
    "two-accuracy.pdf",
  ]);
  const record = readStudyRecord(join(place, "one.json"));
  assert.equal(record?.verdict, "in part");
  assert.deepEqual(
    record.runs.map(({ name, hash, seed }) => [`${name}-${hash}`, seed]),
    trainings.map(({ directory }, i) => [directory, i]),
  );
  assert.equal(record.tables[0]?.rows[0]?.["missing"], "NaN");

  const inOrder = ["one", "two", "three"].map((study) => ({ data: "procedural", study }));
  const [page = "", print = ""] = await writeReport(replication, inOrder, folders.results);
  const html = readFileSync(page, "utf8");
  assert.match(html, /A small study called one[\s\S]*A small study called two/);
  assert.match(html, /three on procedural/);
  assert.equal(html.match(/<svg class="main-svg"/g)?.length ?? 0, html.match(/<figure>/g)?.length);
  assert.equal(readFileSync(print).subarray(0, 5).toString(), "%PDF-");

  // Of another call, which was not given the data whose results are there.
  const without = ["procedural (here)", "others (there)"];
  await writeReport({ ...replication, without }, inOrder, folders.results);
  const later = readFileSync(page, "utf8");
  assert.match(later, /Done without<[^]*others \(there\)/);
  assert.doesNotMatch(later, /procedural \(here\)/);

  const metrics = (): string =>
    readFileSync(join(runs, trainings[0]?.directory ?? "", "metrics.jsonl"), "utf8");
  const written = metrics();
  assert.deepEqual(
    (await runTrainings(trainings, { root: runs, jobs: 1, threads: 1 })).map(({ state }) => state),
    ["done", "done"],
  );
  assert.equal(metrics(), written);
});

test("trainings that diverge are done and counted; their seeds are left out, or nothing is tested", async (context) => {
  const folder = await temporaryFolder(context);
  const folders = { runs: join(folder, "runs"), results: join(folder, "results"), prints: folder };
  const replication = small(
    smallStudy("some", [0, 1, 2], { diverging: [1] }),
    smallStudy("most", [0, 1, 2], { diverging: [1, 2] }),
    smallStudy("single", [1], { diverging: [1] }),
  );
  const outcomes = await runTrainings(replication.trainings, { root: folders.runs, jobs: 1, threads: 1 });
  assert.deepEqual([...new Set(outcomes.map(({ state }) => state))], ["done"]);
  const statuses = await shapeOfAll(replication.trainings, folders.runs);
  assert.deepEqual(
    statuses.map(({ state, diverged, training }) => [state, diverged !== undefined, training.spec.seed]),
    // Seed 2 diverges in one study and not in the other: another spec.
    [0, 1, 2, 2].map((seed, i) => ["done", i === 1 || i === 3, seed]),
  );
  assert.deepEqual(await analyseParts(replication, folders), []);
  const place = join(folders.results, "quick", "procedural");
  const [some, most, single] = ["some", "most", "single"].map((name) =>
    readStudyRecord(join(place, `${name}.json`)),
  );
  assert.equal(some?.verdict, "in part");
  assert.deepEqual(
    some.diverged?.map(({ seed, text }) => [seed, text]),
    [[1, statuses[1]?.diverged]],
  );
  assert.equal(some.tables[0]?.title, "Accuracy of each seed (1 of 3 trainings diverged: seed 1, left out)");
  assert.deepEqual(
    some.tables[0].rows.map(({ seed }) => seed),
    [0, 2],
  );
  assert.equal(
    some.figures[0]?.caption,
    "Accuracy of each seed. 1 of 3 trainings diverged: seed 1, left out.",
  );
  assert.deepEqual(
    [most?.verdict, most?.findings, most?.notTested],
    ["not tested here", [], "2 of 3 trainings diverged: seeds 1, 2; seed 0 alone decides nothing"],
  );
  assert.equal(single?.notTested, "1 of 1 trainings diverged: seed 1; no seed is left to compare");
  assert.equal(single.runs.length, 1);

  const inOrder = ["some", "most", "single"].map((study) => ({ data: "procedural", study }));
  const [page = ""] = await writeReport(replication, inOrder, folders.results);
  const html = readFileSync(page, "utf8");
  assert.match(html, /1 of 2 end points hold; 1 of 3 trainings diverged: seed 1/);
  assert.match(
    html,
    /not tested here<\/span><br><small class="reason">2 of 3 trainings diverged: seeds 1, 2; seed 0 alone/,
  );
  assert.ok(html.includes(statuses[1]?.diverged ?? "?"));

  // A verdict that was found wrong is withdrawn: the reason stands in its place.
  const withdrawn = { verdict: "withdrawn", withdrawn: "time was counted wrongly" } as const;
  await writeStudyRecord(join(place, "some.json"), { ...some, ...withdrawn });
  assert.equal(readStudyRecord(join(place, "some.json"))?.withdrawn, withdrawn.withdrawn);
  await writeReport(replication, inOrder, folders.results);
  const after = readFileSync(page, "utf8");
  assert.match(after, /withdrawn<\/span><br><small class="reason">time was counted wrongly<\/small>/);
  assert.match(after, /No verdict: time was counted wrongly/);
  assert.doesNotMatch(after, /1 of 2 end points hold/);
});

test("a study that this machine cannot run is left out with its reason, and not waited for", async (context) => {
  const reason = "it needs what is not here";
  const replication = small(smallStudy("one", [0]), smallStudy("two", [1], { cannotRun: () => reason }));
  assert.deepEqual(
    replication.trainings.map(({ spec }) => spec.seed),
    [0],
  );
  assert.deepEqual(replication.without, [`"A small study called two", because ${reason}`]);
  const [page = ""] = await writeReport(replication, [], await temporaryFolder(context));
  const html = readFileSync(page, "utf8");
  assert.match(html, /Done without<[^]*A small study called two&quot;, because it needs what is not here/);
  assert.doesNotMatch(html, /Not there yet/);
});

test("a figure under a former name goes with the record that named it, and nothing else does", async (context) => {
  const folder = await temporaryFolder(context);
  const folders = {
    runs: join(folder, "runs"),
    results: join(folder, "results"),
    prints: join(folder, "prints"),
  };
  const replication = small(smallStudy("one", [0]));
  await runTrainings(replication.trainings, { root: folders.runs, jobs: 1, threads: 1 });
  await analyseParts(replication, folders);
  const place = join(folders.results, "quick", "procedural");
  const record = readStudyRecord(join(place, "one.json"));
  assert.ok(record);
  const outside = join(folders.results, "quick", "outside.svg");
  for (const path of [join(place, "one-former.svg"), join(place, "one-own.svg"), outside])
    writeFileSync(path, "<svg/>");
  const files = ["one-accuracy.svg", "one-former.svg", "../outside.svg"];
  const figures = files.map((file) => ({ name: file, caption: "", file }));
  await writeStudyRecord(join(place, "one.json"), { ...record, figures });
  assert.deepEqual(await analyseParts(replication, folders), []);
  assert.deepEqual(readdirSync(place).sort(), ["one-accuracy.svg", "one-own.svg", "one.arrow", "one.json"]);
  assert.ok(existsSync(outside));
});

test("a study that breaks leaves the others their results, and a damaged result is named", async (context) => {
  const folder = await temporaryFolder(context);
  const folders = { runs: join(folder, "runs"), results: join(folder, "results"), prints: folder };
  const replication = small(smallStudy("broken", [0]), smallStudy("whole", [0]));
  await runTrainings(replication.trainings, { root: folders.runs, jobs: 1, threads: 1 });
  const parts = replication.parts.map((part) =>
    part.study.name === "whole"
      ? part
      : { ...part, study: { ...part.study, analyse: () => Promise.reject(new UserError("no traces")) } },
  );
  const problems = await analyseParts({ ...replication, parts }, folders);
  assert.deepEqual(
    problems.map(({ part, problem }) => [part.study.name, problem]),
    [["broken", "no traces"]],
  );
  const stopping = replication.parts.map((part) => ({
    ...part,
    study: { ...part.study, analyse: () => Promise.reject(new Stopped("stopped")) },
  }));
  await assert.rejects(analyseParts({ ...replication, parts: stopping }, folders), Stopped);
  const path = join(folders.results, "quick", "procedural", "whole.json");
  assert.equal(readStudyRecord(path)?.study.name, "whole");
  assert.equal(readStudyRecord(path.replace("whole", "broken")), undefined);
  writeFileSync(path, readFileSync(path, "utf8").replace('"verdict"', '"verdikt"'));
  assert.throws(() => readStudyRecord(path), /whole\.json: .*verdikt is not a known field/);
  writeFileSync(path, "{");
  assert.throws(() => readStudyRecord(path), /whole\.json is not valid JSON: /);
});

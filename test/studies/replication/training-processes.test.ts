import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { readRun } from "../../../lib/experiments/runs/run-record.js";
import { analyseParts } from "../../../lib/studies/replication/results.js";
import { removeLeftovers, runTrainings } from "../../../lib/studies/replication/training-processes.js";
import { temporaryFolder } from "../../temporary-folder.js";
import { smallStudy } from "../small-study.js";
import { small, shapeOfAll } from "./replication-helpers.js";

/** Waits until the run has written metrics, and gives the process that works on it. */
async function workerOf(directory: string): Promise<number> {
  const owner = join(directory, ".lock-owner.json");
  for (;;) {
    if (
      existsSync(join(directory, "metrics.jsonl")) &&
      readFileSync(join(directory, "metrics.jsonl")).length > 0
    )
      return (JSON.parse(readFileSync(owner, "utf8")) as { pid: number }).pid;
    await sleep(20);
  }
}

const LONG = { train: { epochs: 60 } };

test("a killed training is told with its log, the others go on, and the next call goes on with it", async (context) => {
  const runs = await temporaryFolder(context);
  const long = smallStudy("long", [0], { change: LONG });
  const replication = small(long, smallStudy("short", [1]));
  const [victim] = replication.trainings;
  assert.ok(victim !== undefined);
  const training = runTrainings(replication.trainings, { root: runs, jobs: 2, threads: 1 });
  process.kill(await workerOf(join(runs, victim.directory)), "SIGKILL");
  const outcomes = new Map((await training).map((outcome) => [outcome.training.directory, outcome]));
  assert.deepEqual(
    replication.trainings.map(({ directory }) => outcomes.get(directory)?.state),
    ["failed", "done"],
  );
  assert.match(outcomes.get(victim.directory)?.problem ?? "", /^it was killed by SIGKILL; see .*\.log/);

  const [halfDone] = await shapeOfAll(replication.trainings, runs);
  assert.equal(halfDone?.state, "begun");
  assert.ok(halfDone.images > 0 && halfDone.images < halfDone.totalImages, `${halfDone.images} images`);
  const folders = { runs, results: join(runs, "results"), prints: join(runs, "prints") };
  const problems = await analyseParts({ ...replication, parts: replication.parts.slice(0, 1) }, folders);
  assert.deepEqual(
    problems.map(({ problem }) => problem),
    ["1 of its 1 trainings are not finished"],
  );

  const [again] = await runTrainings([victim], { root: runs, jobs: 1, threads: 1 });
  assert.equal(again?.state, "done");
  const steps = readRun(join(runs, victim.directory))
    .readMetrics()
    .filter((record) => "loss" in record)
    .map(({ step }) => step);
  assert.deepEqual(
    steps,
    [...new Set(steps)].sort((a, b) => a - b),
    "each step is counted once",
  );
  assert.equal(steps.at(-1), 60 * 4);

  // What processes leave that are killed when all was written goes with the next call.
  const [lock, log] = [join(runs, victim.directory, ".lock"), join(runs, "logs", `${victim.directory}.log`)];
  mkdirSync(lock);
  writeFileSync(log, "");
  await removeLeftovers(runs, [victim]);
  assert.deepEqual([existsSync(lock), existsSync(log)], [false, false]);
});

test("a signal ends the trainings and begins no others", async (context) => {
  const runs = await temporaryFolder(context);
  const { trainings } = small(smallStudy("long", [0, 1, 2], { change: LONG }));
  const controller = new AbortController();
  const training = runTrainings(trainings, { root: runs, jobs: 1, threads: 1, signal: controller.signal });
  const worker = await workerOf(join(runs, trainings[0]?.directory ?? ""));
  controller.abort();
  assert.deepEqual(
    (await training).map(({ state }) => state),
    ["stopped"],
  );
  assert.throws(() => process.kill(worker, 0), /ESRCH/);
  assert.deepEqual(
    (await shapeOfAll(trainings, runs)).map(({ state }) => state),
    ["begun", "not begun", "not begun"],
  );
});

test("a training that ends with an error shows the end of what it wrote", async (context: TestContext) => {
  const runs = await temporaryFolder(context);
  const script = join(runs, "fails.mjs");
  writeFileSync(
    script,
    `for (let line = 1; line <= 20; line++) console.error("line " + line);
     console.log(process.argv.slice(2).join(" "), process.env.TF_NUM_INTRAOP_THREADS);
     process.exit(3);`,
  );
  const { trainings } = small(smallStudy("one", [0]));
  const program = [process.execPath, script] as const;
  const [outcome] = await runTrainings(trainings, { root: runs, jobs: 1, threads: 5, program });
  const [first = "", ...log] = outcome?.problem?.split("\n  ") ?? [];
  assert.match(first, /^it ended with exit code 3; see .*\/logs\/ordinary-ce-[0-9a-f]{12}\.log$/);
  assert.deepEqual(log.slice(0, 2), ["line 14", "line 15"]);
  assert.match(log.at(-1) ?? "", new RegExp(`^run .*\\.json --out ${runs} --parent ${process.pid} 5$`));
  const missing = await runTrainings(trainings, { root: runs, jobs: 1, threads: 1, program: ["/no/such"] });
  assert.match(missing[0]?.problem ?? "", /^it did not start \(spawn \/no\/such ENOENT\)/);
});

test("two calls at the same training share its log: neither leaves a hole where the other wrote", async (context) => {
  const runs = await temporaryFolder(context);
  const script = join(runs, "slow.mjs");
  writeFileSync(
    script,
    `import { mkdirSync } from "node:fs";
     import { setTimeout as sleep } from "node:timers/promises";
     const first = mkdirSync(${JSON.stringify(join(runs, "begun"))}, { recursive: true }) !== undefined;
     for (let line = 0; line < (first ? 7 : 1); line++) { console.error("line " + line); await sleep(100); }
     process.exit(3);`,
  );
  const { trainings } = small(smallStudy("one", [0]));
  const program = [process.execPath, script] as const;
  const call = () => runTrainings(trainings, { root: runs, jobs: 1, threads: 1, program });
  const earlier = call();
  while (!existsSync(join(runs, "begun"))) await sleep(20);
  await sleep(250);
  for (const { problem = "" } of (await Promise.all([earlier, call()])).flat()) {
    const [first = "", ...log] = problem.split("\n  ");
    assert.match(first, /^it ended with exit code 3/);
    assert.ok(log.length > 0);
    for (const line of log) assert.match(line, /^line \d+$/);
  }
});

test("a training whose log or spec cannot be written is a failure of its own; the others go on", async (context) => {
  const runs = await temporaryFolder(context);
  const { trainings } = small(smallStudy("one", [0, 1, 2, 3]));
  const [noLog = "", noSpec = "", device = ""] = trainings.map(({ directory }) =>
    join(runs, "logs", directory),
  );
  mkdirSync(`${noLog}.log`, { recursive: true });
  mkdirSync(`${noSpec}.json`);
  symlinkSync("/dev/null", `${device}.log`);
  const program = [process.execPath, "-e", "0"] as const;
  const open = (): number => readdirSync("/dev/fd").length;
  const before = open();
  const outcomes = await runTrainings(trainings, { root: runs, jobs: 1, threads: 1, program });
  assert.equal(open(), before);
  assert.deepEqual(
    outcomes.map(({ state }) => state),
    ["failed", "failed", "failed", "done"],
  );
  assert.match(outcomes[0]?.problem ?? "", /^cannot write .*\.log: it is a folder, not a file$/);
  assert.match(outcomes[1]?.problem ?? "", /^cannot \w+ .*\.json: it is a folder, not a file$/);
  assert.match(
    outcomes[2]?.problem ?? "",
    /^cannot write .*\.log: the system refuses it \(EINVAL, ftruncate\)$/,
  );
});

/**
 * A sweep of many tiny trainings that is killed at random until it is finished: `node --import tsx test/sweep/killed.ts`.
 * Not part of npm test, for it takes a quarter of an hour. Settings are variables of the environment: RUNS (200), SEED (of what is
 * killed when), SNAKEMAKE (that program, in the place of `cascade sweep`), FOLDER (kept afterwards).
 *
 * In turn the engine alone is killed, all its processes, one training, or the engine is asked to end; then it is begun
 * again. At the end every run is done, none was finished twice, and some are to the bit what an undisturbed training
 * gives.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readRun } from "../../lib/experiments/runs/run-record.js";
import { sha256 } from "../../lib/util/files.js";
import { randomStream } from "../../lib/util/random.js";

const {
  RUNS = "200",
  SEED = "0",
  SNAKEMAKE,
  // With a space, which an engine's shell must not take for the end of a path.
  FOLDER = mkdtempSync(join(tmpdir(), "killed sweep-")),
} = process.env;
const project = join(import.meta.dirname, "../..");
const CASCADE = "node_modules/anytime-cascade/cli/cascade.mjs";
const random = randomStream(Number(SEED), "kills");
mkdirSync(FOLDER, { recursive: true });
const [sweepFile, specs, runs] = [join(FOLDER, "sweep.json"), join(FOLDER, "specs"), join(FOLDER, "runs")];

writeFileSync(
  sweepFile,
  JSON.stringify({
    models: ["cascaded-td"],
    seeds: Array.from({ length: Math.ceil(Number(RUNS) / 2) }, (_, seed) => seed),
    change: {
      data: { kind: "procedural", classes: 10, size: 8, train: 160, test: 20 },
      validation: 0.125,
      "network.width": 0.0625,
      "train.augmentation.occlusion": 0,
      "train.batchSize": 16,
      "train.epochs": 2,
    },
    grid: { "loss.lambda": [0, 1] },
  }),
);

function cascade(...words: string[]): void {
  const { status, stderr } = spawnSync(process.execPath, [CASCADE, ...words], {
    cwd: project,
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
}
cascade("sweep", sweepFile, "--specs", specs);
const names = readdirSync(specs).map((file) => file.replace(/\.json$/, ""));

function startEngine(): ChildProcess {
  const [program, words] =
    SNAKEMAKE === undefined
      ? [process.execPath, [CASCADE, "sweep", sweepFile, "--runs", runs, "--jobs", "2"]]
      : [
          SNAKEMAKE,
          [
            "--snakefile",
            "lib/sweep/Snakefile",
            "--profile",
            "lib/sweep/profiles/local",
            "--cores",
            "2",
            "--nolock",
          ].concat([...["--config", `specs=${specs}`, `runs=${runs}`]]),
        ];
  return spawn(program, words, { cwd: project, stdio: "ignore", detached: true });
}

/** Ids of the processes that train into this folder. */
function trainings(): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
        return words.includes("run") && words.includes(runs);
      } catch {
        return false;
      }
    });
}

/** Sends a signal to a process, or with a negative id to its group; it may have ended. */
function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // gone already
  }
}

const WAYS: Readonly<Record<string, (engine: number) => void>> = {
  "the engine alone": (engine) => {
    kill(engine, "SIGKILL");
  },
  everything: (engine) => {
    kill(-engine, "SIGKILL");
    for (const pid of trainings()) kill(pid, "SIGKILL");
  },
  "a training": () => {
    const at = trainings();
    kill(at[Math.floor(random.uniform() * at.length)] ?? 0x7fffffff, "SIGKILL");
  },
  "the engine, asked to end": (engine) => {
    kill(engine, "SIGTERM");
  },
};

const done = new Map<string, string>();
/** Every DONE.json that was ever seen must stay as it was: who finished a run is the last to write it. */
function look(): void {
  for (const name of names) {
    const file = join(runs, name, "DONE.json");
    if (!existsSync(file)) {
      assert.ok(!done.has(name), `${name} is not done any more`);
      continue;
    }
    const now = `${statSync(file).mtimeMs} ${sha256(readFileSync(file))}`;
    assert.equal(now, done.get(name) ?? now, `${name} was finished twice`);
    done.set(name, now);
  }
}

const begun = performance.now();
const killed: Record<string, number> = {};
let ended = false;
for (let round = 0; !ended; round++) {
  const engine = startEngine();
  const exit = new Promise<number | null>((resolve) => engine.once("exit", resolve));
  const until = performance.now() + 1000 * (10 + 30 * random.uniform());
  let code: number | null | undefined;
  while (code === undefined && performance.now() < until) {
    code = await Promise.race([exit, sleep(500).then(() => undefined)]);
    look();
  }
  ended = code === 0;
  if (code === undefined && engine.pid !== undefined) {
    const ways = Object.keys(WAYS);
    const way = ways[round % ways.length] ?? "";
    WAYS[way]?.(engine.pid);
    killed[way] = (killed[way] ?? 0) + 1;
    // A training that was killed is the engine's affair; else its end is waited for, with all that it began.
    if (way === "a training") await Promise.race([exit, sleep(5000)]);
    kill(engine.pid, "SIGTERM");
    await Promise.race([exit, sleep(20_000)]);
    kill(-engine.pid, "SIGKILL");
    for (let wait = 0; trainings().length > 0 && wait < 60; wait++) await sleep(500);
    assert.deepEqual(trainings(), [], "trainings outlive their engine");
  }
  const seconds = Math.round((performance.now() - begun) / 1000);
  process.stdout.write(
    `${seconds} s: ${done.size} of ${names.length} done, killed ${JSON.stringify(killed)}\n`,
  );
}
look();
assert.equal(done.size, names.length);

for (const name of names) {
  const run = readRun(join(runs, name));
  await run.verify();
  const steps = run.readMetrics().map(({ step }) => step);
  assert.deepEqual(
    steps,
    steps.toSorted((a, b) => a - b),
    `${name}: steps out of order`,
  );
}
const goneOn = names.filter((name) => readRun(join(runs, name)).environments.length > 1);
process.stdout.write(`${names.length} runs are whole; ${goneOn.length} of them were begun more than once\n`);
for (const name of goneOn.slice(0, 3)) {
  cascade("run", join(specs, `${name}.json`), "--out", join(FOLDER, "undisturbed"));
  const [one, other] = [runs, join(FOLDER, "undisturbed")].map((root) =>
    sha256(readFileSync(join(root, name, "model.safetensors"))),
  );
  assert.equal(one, other, `${name} is not what an undisturbed training gives`);
}
process.stdout.write(
  `of ${Math.min(3, goneOn.length)} of these the weights are those of an undisturbed training\n`,
);

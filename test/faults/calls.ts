import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { listRuns } from "../../lib/experiments/runs/run-record.js";
import { trainingRun } from "../../lib/experiments/runs/training-run.js";
import { plainPng, tarGz } from "../datasets/fixtures.js";
import { bareEnvironment, bareProjectIn } from "../setup/bare-project.js";
import { SMALL_DATA, smallStudy } from "../studies/small-study.js";
import { outcome } from "./commands.js";
import { chosenCalls, compileShim, loggedCalls } from "./shim.js";

const { ENOSPC, EIO, EACCES, EDQUOT, EMFILE, EROFS, EPERM } = constants.errno;
/** Faults of a kind, by name, with what the shim is told. */
const KINDS: readonly Readonly<Record<string, number | string>>[] = [
  { ENOSPC, EIO, EACCES, EDQUOT, EMFILE, EROFS, EPERM },
  { short: "short" },
  { kill: "kill" },
  { gone: "gone", replaced: "replaced", forward: "forward", backward: "backward" },
];

/** After how many attempts it says how far it is. */
const SAID_EVERY = 50;

/** Somebody takes a file away: what was in it alone is lost, and has to be named. */
const TAKES_FILES: readonly unknown[] = ["gone", "replaced"];

/** What is done while a call fails, in a folder of its own, and how the state is judged after it was done once more. */
interface Job {
  readonly name: string;
  /** Arguments of Node. */
  readonly words: (folder: string) => readonly string[];
  /** In the place of this process's. */
  readonly env?: (folder: string) => NodeJS.ProcessEnv;
  readonly prepare: (folder: string) => Promise<void>;
  /** What the state comes to; the same after a fault as without one. */
  readonly outcome: (folder: string, out: string) => Promise<string>;
}

const child = (file: string) => (folder: string) => [
  "--import",
  "tsx",
  join(import.meta.dirname, file),
  folder,
];

const JOBS: readonly Job[] = [
  {
    name: "run",
    words: child("store-child.ts"),
    prepare: () => Promise.resolve(),
    outcome: async (folder) => {
      const [record] = listRuns(folder);
      await record?.verify();
      const { directory = "" } = record ?? {};
      const left = readdirSync(directory).filter((name) => name.startsWith("."));
      return JSON.stringify([record?.readMetrics(), record?.done?.files["model.bin"], left]);
    },
  },
  {
    name: "import",
    words: child("import-child.ts"),
    prepare: async (folder) => {
      const classes = ["train/a/0.png", "train/b/1.png", "test/a/2.png", "test/b/3.png"];
      const entries = await Promise.all(
        classes.map(async (path, i) => ({ path, content: await plainPng([i, 2 * i, 3]) })),
      );
      writeFileSync(join(folder, "set.tar"), gunzipSync(tarGz(entries)));
    },
    outcome: (_folder, out) => Promise.resolve(out.trim()),
  },
  {
    name: "set-up",
    words: (folder) => [join(folder, "lib", "setup", "setup.mjs"), "--quiet"],
    env: (folder) => ({ ...bareEnvironment(folder), FAULT_SPARED: "/lib/setup/" }),
    prepare: (folder) => Promise.resolve(void bareProjectIn(folder)),
    outcome: (folder) => {
      const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
      return Promise.resolve(
        names
          .filter((name) => !/setup\.log$|npm-calls$/.test(name))
          .sort()
          .join("\n"),
      );
    },
  },
  {
    name: "replication",
    words: child("replication-child.ts"),
    // The training's own calls are those of a run.
    prepare: async (folder) => {
      const runs = await finishedRuns(join(folder, "..", "finished"));
      cpSync(runs, join(folder, "runs"), { recursive: true });
      mkdirSync(join(folder, "tmp"));
    },
    outcome: (folder) => outcome(folder),
  },
];

/** The runs that the replication is of, trained once. */
async function finishedRuns(root: string): Promise<string> {
  for (const spec of smallStudy("one", [0]).configure("quick", {}).trainings(SMALL_DATA.source))
    await trainingRun(spec, { root, quiet: true });
  return root;
}

/** Lines that are said beside the sentence: warnings, the steps of a set-up, and what a command said that it quotes. */
const BESIDES = /^(setup: )?warning: |^setup: .* (done in|failed after) [\d.]+ s$|^ {4}(?!at )/;

/** What came of all faults at the calls of one job. */
interface CallRow {
  readonly job: string;
  readonly fault: string;
  readonly tried: number;
  /** Ended well in spite of it. */
  readonly unharmed: number;
  /** Ended with one sentence. */
  readonly sentence: number;
  readonly killed: number;
  readonly wrong: number;
}

export interface CallFaultOptions {
  /** Of calls that are alike, so many are tried (`chosenCalls`). */
  readonly alike: number;
  /** With which of the faults of a kind it begins. */
  readonly seed: number;
  /** Names of jobs and of faults; all if left out. */
  readonly jobs?: readonly string[] | undefined;
  readonly faults?: readonly string[] | undefined;
}

/**
 * At each chosen system call of each job a fault of each kind, by turns where a kind has several; after it the job is done
 * once more, unharmed.
 */
export async function faultsAtCalls({ alike, seed, jobs, faults }: CallFaultOptions): Promise<{
  readonly rows: readonly CallRow[];
  readonly problems: readonly string[];
}> {
  const place = mkdtempSync(join(tmpdir(), "calls-"));
  const shim = compileShim(place);
  const rows: CallRow[] = [];
  const problems: string[] = [];
  try {
    for (const job of JOBS) {
      if (jobs?.includes(job.name) === false) continue;
      const whole = await attempt(job, place, shim, undefined);
      const chosen = chosenCalls(whole.calls, alike);
      process.stderr.write(`${job.name}: ${chosen.length} of ${whole.calls.length} calls\n`);
      for (const one of KINDS) {
        const kinds = Object.entries(one).filter(([name]) => faults?.includes(name) !== false);
        const ofKind = new Map(kinds.map(([fault]) => [fault, noneYet(job.name, fault)]));
        for (const [i, call] of chosen.entries()) {
          const [fault, kind] = kinds[(seed + i) % kinds.length] ?? [];
          const row = fault === undefined ? undefined : ofKind.get(fault);
          if (row === undefined || kind === undefined) break;
          const { end, problem } = await attempt(job, place, shim, { call, kind, expected: whole.outcome });
          row.tried++;
          row[end]++;
          if ((i + 1) % SAID_EVERY === 0)
            process.stderr.write(
              `${job.name}, ${kinds.map(([name]) => name).join(" or ")}: ${i + 1} of ${chosen.length}\n`,
            );
          if (problem === undefined) continue;
          row.wrong++;
          const where = `${job.name}, ${row.fault} at call ${call} (${whole.calls[call] ?? ""})`;
          problems.push(`${where}: ${problem}`);
          // Now: what comes after may take an hour, and be ended before.
          process.stderr.write(`WRONG ${where}: ${problem}\n`);
        }
        rows.push(...ofKind.values());
        for (const row of ofKind.values())
          process.stderr.write(`${job.name}, ${row.fault}: ${row.tried} tried, ${row.wrong} wrong\n`);
      }
    }
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
  return { rows, problems };
}

function noneYet(job: string, fault: string): { -readonly [field in keyof CallRow]: CallRow[field] } {
  return { job, fault, tried: 0, unharmed: 0, sentence: 0, killed: 0, wrong: 0 };
}

interface Attempt {
  readonly end: "unharmed" | "sentence" | "killed";
  readonly problem?: string;
  readonly calls: readonly string[];
  readonly outcome: string;
}

async function attempt(
  job: Job,
  place: string,
  shim: string,
  fault: { readonly call: number; readonly kind: number | string; readonly expected: string } | undefined,
): Promise<Attempt> {
  const folder = join(place, "work");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  await job.prepare(folder);
  const log = join(place, "log");
  rmSync(log, { force: true });
  const first = carriedOut(job, folder, {
    LD_PRELOAD: shim,
    FAULT_FOLDER: folder,
    FAULT_LOG: log,
    ...(fault && { FAULT_CALL: String(fault.call), FAULT_KIND: String(fault.kind) }),
  });
  const calls = loggedCalls(log);
  const end = first.signal === "SIGKILL" ? "killed" : first.status === 0 ? "unharmed" : "sentence";
  if (fault === undefined) {
    if (calls.length === 0 || end !== "unharmed")
      throw new Error(`${job.name} does not end well: ${first.stderr}`);
    return { end, calls, outcome: await job.outcome(folder, first.stdout) };
  }
  if (end === "sentence" && !isSentence(first.stderr))
    return {
      end,
      calls,
      outcome: "",
      problem: `it ended with ${JSON.stringify(first.stderr.slice(0, 400))}`,
    };
  const again = carriedOut(job, folder, {});
  const mayLose = TAKES_FILES.includes(fault.kind);
  if (mayLose && again.status !== 0 && isSentence(again.stderr)) return { end, calls, outcome: "" };
  if (again.status !== 0)
    return {
      end,
      calls,
      outcome: "",
      problem: `the next call ended with ${JSON.stringify(again.stderr.slice(0, 400))}`,
    };
  const outcome = await job.outcome(folder, again.stdout).catch(String);
  const isNamed = mayLose && outcome.startsWith("UserError: ");
  if (outcome === fault.expected || isNamed) return { end, calls, outcome };
  return { end, calls, outcome, problem: `it came to ${outcome.slice(0, 300)}` };
}

/** Whether no more is said than one sentence, beside warnings and steps. */
function isSentence(text: string): boolean {
  const lines = text.split("\n").filter((line) => line !== "" && !BESIDES.test(line));
  return lines.length === 1 && !/^ {4}at /m.test(text);
}

function carriedOut(job: Job, folder: string, env: Readonly<Record<string, string>>) {
  return spawnSync(process.execPath, job.words(folder), {
    encoding: "utf8",
    env: { ...(job.env?.(folder) ?? process.env), ...env },
    timeout: 120_000,
    killSignal: "SIGTERM",
  });
}

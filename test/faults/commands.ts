import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { gunzipSync } from "node:zlib";
import { listRuns } from "../../lib/experiments/runs/run-record.js";
import { sha256 } from "../../lib/util/files.js";
import { plainPng, tarGz } from "../datasets/fixtures.js";
import { tinyRunSpec } from "../experiments/tiny-run.js";

const PROJECT = join(import.meta.dirname, "..", "..");
const CASCADE = join(PROJECT, "lib", "cli", "cascade.mjs");
/** The order of summation, and with it the last bit, depends on the number of threads. */
const ONE_THREAD = { TF_NUM_INTRAOP_THREADS: "1", OMP_NUM_THREADS: "1" };

/** A command that is killed; it works in its current folder, and what it makes lies there afterwards. */
export interface KilledCommand {
  readonly name: string;
  readonly words: readonly string[];
  readonly prepare: (place: string) => Promise<void>;
}

const TINY = { kind: "procedural", classes: 10, size: 8, train: 80, test: 20 };

/** Every command that writes. */
export const COMMANDS: readonly KilledCommand[] = [
  {
    name: "run",
    words: ["run", "spec.json", "--out", "runs"],
    prepare: (place) => put(place, "spec.json", tinyRunSpec("cascaded-td", { train: { epochs: 6 } })),
  },
  {
    name: "sweep",
    words: ["sweep", "sweep.json", "--runs", "runs", "--jobs", "2"],
    prepare: (place) =>
      put(place, "sweep.json", {
        models: ["cascaded-td"],
        seeds: [0, 1],
        change: {
          data: TINY,
          validation: 0.125,
          "network.width": 0.0625,
          "train.augmentation.occlusion": 0,
          "train.batchSize": 16,
          "train.epochs": 3,
        },
      }),
  },
  {
    name: "replicate",
    words: ["replicate", "--only", "typicality", "--seeds", "0", "--jobs", "1"].concat(
      ["--runs", "runs", "--results", "results", "--prints", "prints"],
      "train.epochs=1",
    ),
    prepare: () => Promise.resolve(),
  },
  {
    name: "data import",
    words: ["data", "import", "set.tar"],
    prepare: async (place) => {
      const paths = ["train", "test"].flatMap((split) =>
        Array.from({ length: 60 }, (_, i) => `${split}/class-${i % 3}/${i}.png`),
      );
      const entries = await Promise.all(
        paths.map(async (path, i) => ({ path, content: await plainPng([i, 2 * i, 255 - i], 32) })),
      );
      writeFileSync(join(place, "set.tar"), gunzipSync(tarGz(entries)));
    },
  },
  {
    name: "notebook",
    words: ["notebook", "given.ipynb", "--out", "out.ipynb"],
    prepare: (place) => {
      const sources = [
        "const n = 20;",
        "await new Promise((done) => setTimeout(done, 300));\nconsole.log(n);",
      ];
      const cells = sources.map((source, i) => ({
        id: `cell-${i}`,
        cell_type: "code",
        metadata: {},
        source,
        execution_count: null,
        outputs: [],
      }));
      const kernelspec = { name: "cascade", display_name: "TypeScript (cascade)", language: "typescript" };
      return put(place, "given.ipynb", { nbformat: 4, nbformat_minor: 5, metadata: { kernelspec }, cells });
    },
  },
];

/** Whether a notebook can be run here. */
export const hasKernel = existsSync(join(PROJECT, ".venv/share/jupyter/kernels/cascade"));

function put(place: string, name: string, content: unknown): Promise<void> {
  writeFileSync(join(place, name), JSON.stringify(content));
  return Promise.resolve();
}

/** A command that was started, and all processes that it starts by a mark in their environment. */
export interface Started {
  readonly child: ChildProcess;
  readonly mark: string;
  /** Exit code, null after a kill, and the end of what it said. */
  readonly ended: Promise<{ readonly code: number | null; readonly said: string }>;
}

let starts = 0;

/** Starts the command in `place`, where its temporary files go too. */
export function start(
  { words }: KilledCommand,
  place: string,
  env: Readonly<Record<string, string>> = {},
): Started {
  const mark = `${process.pid}-${starts++}`;
  const TMPDIR = join(place, "tmp");
  mkdirSync(TMPDIR, { recursive: true });
  const child = spawn(process.execPath, [CASCADE, ...words], {
    cwd: place,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...ONE_THREAD, TMPDIR, FAULTS_MARK: mark, ...env },
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)));
  // Not "close": what it leaves running may hold its output open.
  const ended = once(child, "exit").then(([code]) => ({ code: code as number | null, said }));
  return { child, mark, ended };
}

/** Ids of the living processes with a mark. */
export function processesOf(mark: string): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => {
      if (!(pid > 0)) return false;
      try {
        // A zombie has no environment any more.
        return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(`FAULTS_MARK=${mark}`);
      } catch {
        return false;
      }
    });
}

/** Files whose bytes are decided by what was asked for; of the others, which hold times, the names alone. */
const DECIDED = /(model\.safetensors|\.arrow|\.svg|\.bin|meta\.json|out\.ipynb)$/;

/** What lies in `place` once the command has ended: names and bytes, what should not be there too. */
export async function outcome(place: string): Promise<string> {
  for (const run of listRuns(join(place, "runs"))) await run.verify();
  const files = readdirSync(place, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() || entry.name.startsWith("."))
    .map((entry) => join(entry.parentPath, entry.name))
    // When a file's content counts as settled depends on the time.
    .filter((path) => !path.includes("/fingerprints/"))
    .map((path) => [relative(place, path), DECIDED.test(path) ? sha256(readFileSync(path)) : ""].join(" "));
  return [...files, ...readdirSync(join(place, "tmp")).map((name) => `tmp/${name}`)].sort().join("\n");
}

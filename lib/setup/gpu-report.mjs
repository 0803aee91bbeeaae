/**
 * What this project does on a GPU, for somebody who has one: `npm run gpu-report [-- --out FILE] [-- --quick]`. It takes about
 * ten minutes, sends nothing anywhere, and writes one file, gpu-report.json, which can be sent back. Without a GPU it says so
 * in the file and goes through the same steps on the processor; --quick takes smaller trainings, and leaves parity and times out.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { guardOutput } from "./output-streams.mjs";
import { inProject, ROOT } from "./project.mjs";

guardOutput();
const { values } = parseArgs({
  options: {
    out: { type: "string", default: "gpu-report.json" },
    quick: { type: "boolean", default: false },
  },
});
const CASCADE = inProject("lib", "cli", "cascade.mjs");
/** How much of what a step writes is kept. */
const KEPT_LETTERS = 4000;
/** A line of a training's progress: it has begun, and is not done. */
const PROGRESS = /^\S+ \d+\/\d+ \|/m;
const runs = mkdtempSync(join(tmpdir(), "gpu-report-"));

/** @typedef {{ seconds: number, env?: Record<string, string>, stops?: boolean }} Limits */

/**
 * Runs one step to its end, or for so many seconds; one that `stops` is asked to end once it shows progress.
 *
 * @param {readonly string[]} words
 * @param {Limits} limits
 * @returns {Promise<{ code: number | string, seconds: number, output: string }>}
 */
function runStep([command = "", ...words], { seconds, env = {}, stops = false }) {
  const begun = performance.now();
  return new Promise((resolve) => {
    const child = spawn(command, words, { cwd: ROOT, env: { ...process.env, ...env } });
    const timer = setTimeout(() => child.kill("SIGKILL"), 1000 * seconds);
    let output = "";
    let asked = false;
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (/** @type {Buffer} */ chunk) => {
        output = (output + chunk.toString()).slice(-20 * KEPT_LETTERS);
        // Once: a second time would end it in the middle of a step.
        if (stops && !asked && PROGRESS.test(output)) asked = child.kill("SIGTERM");
      });
    const end = (/** @type {number | string} */ code) => {
      clearTimeout(timer);
      resolve({ code, seconds: Math.round((performance.now() - begun) / 100) / 10, output });
    };
    child.once("error", ({ message }) => {
      end(message);
    });
    child.once("close", (code, signal) => {
      end(code ?? signal ?? "ended");
    });
  });
}

const NODE = process.execPath;
/** What TensorFlow sees, asked of the library itself. */
const SEES = `import { describeBackend, isNative, tf } from "anytime-cascade";
  const backend = tf.backend();
  console.log(JSON.stringify({ isNative, usesGpu: backend.isUsingGpuDevice === true, backend: describeBackend() }));`;

const SIZE = values.quick
  ? {
      data: { kind: "procedural", classes: 4, size: 16, train: 200, test: 80, seed: 0 },
      epochs: 20,
      width: 1 / 16,
    }
  : {
      data: { kind: "procedural", classes: 10, size: 32, train: 4000, test: 500, seed: 0 },
      epochs: 2,
      width: 1 / 4,
    };

/** @param {string} name */
const training = (name) => [
  ...[
    NODE,
    CASCADE,
    "run",
    "cascaded-td",
    `data=${JSON.stringify(SIZE.data)}`,
    `network.width=${SIZE.width}`,
  ],
  ...[
    `train.epochs=${SIZE.epochs}`,
    "train.batchSize=50",
    "train.augmentation.occlusion=0",
    "--out",
    join(runs, name),
  ],
];

/** @type {Record<string, { words: readonly string[], limits: Limits }>} */
const STEPS = {
  doctor: { words: [NODE, inProject("lib", "setup", "doctor.mjs"), "--json"], limits: { seconds: 60 } },
  gpu: {
    words: ["nvidia-smi", "--query-gpu=name,driver_version,memory.total,compute_cap", "--format=csv"],
    limits: { seconds: 20 },
  },
  sees: { words: [NODE, "--input-type=module", "-e", SEES], limits: { seconds: 60 } },
  ...(!values.quick && {
    parity: { words: [NODE, CASCADE, "parity", "test/reference"], limits: { seconds: 300 } },
  }),
  training: { words: training("one"), limits: { seconds: 120 } },
  "the same again": { words: training("two"), limits: { seconds: 120 } },
  "on the processor": { words: training("cpu"), limits: { seconds: 240, env: { CUDA_VISIBLE_DEVICES: "" } } },
  "begun and asked to end": {
    words: training("stopped"),
    limits: { seconds: 120, stops: true },
  },
  "gone on": { words: training("stopped"), limits: { seconds: 120 } },
  ...(!values.quick && {
    bench: {
      words: [NODE, CASCADE, "bench", "--rounds", "3", "--only", "quarter", "--json"],
      limits: { seconds: 180 },
    },
  }),
};

/** @typedef {{ summary: { models: { accuracy: number[] }[] } }} Done */

/** What a training came to: the sum of its weights, and its accuracy at each timestep. */
function outcomeOf(/** @type {string} */ output) {
  const [directory] = output
    .split("\n")
    .filter((line) => line.startsWith(runs) && !/:|;/.test(line.slice(runs.length)))
    .slice(-1);
  if (directory === undefined) return undefined;
  try {
    const read = (/** @type {string} */ name) => readFileSync(join(directory, name));
    /** @type {unknown} */
    const done = JSON.parse(read("DONE.json").toString());
    const weights = createHash("sha256").update(read("model.safetensors")).digest("hex");
    return { weights, accuracy: /** @type {Done} */ (done).summary.models[0]?.accuracy };
  } catch (error) {
    return { problem: String(error) };
  }
}

/** The exit code of a training that was asked to end. */
const STOPPED = 130;
/** @type {Record<string, { code: number | string } & Record<string, unknown> | undefined>} */
const steps = {};
/** @type {Record<string, { weights?: string } | undefined>} */
const outcomes = {};
try {
  for (const [name, { words, limits }] of Object.entries(STEPS)) {
    process.stdout.write(`${name} ... `);
    const { code, seconds, output } = await runStep(words, limits);
    const outcome = words.includes("run") ? outcomeOf(output) : undefined;
    if (outcome !== undefined) outcomes[name] = outcome;
    const kept = name === "doctor" || name === "bench" ? output : output.slice(-KEPT_LETTERS);
    steps[name] = {
      code,
      seconds,
      ...(outcome && { outcome }),
      output: kept.replaceAll(runs, "<runs>").replaceAll(ROOT, "<project>"),
    };
    process.stdout.write(`${code === 0 ? "done" : `ended with ${code}`} in ${seconds} s\n`);
  }
} finally {
  rmSync(runs, { recursive: true, force: true });
}
/** @param {string} a @param {string} b */
function same(a, b) {
  const [one, other] = [outcomes[a]?.weights, outcomes[b]?.weights];
  return one !== undefined && one === other;
}
const answers = {
  "a GPU is used": /"usesGpu":true/.test(JSON.stringify(steps["sees"]).replaceAll("\\", "")),
  "the same training gives the same bits": same("training", "the same again"),
  "a training that was stopped goes on to the same bits":
    steps["begun and asked to end"]?.code === STOPPED && same("training", "gone on"),
  "the processor gives the same bits": same("training", "on the processor"),
};
writeFileSync(
  values.out,
  `${JSON.stringify({ date: new Date().toISOString(), quick: values.quick, answers, steps }, null, 2)}\n`,
);
for (const [question, answer] of Object.entries(answers))
  console.log(`${question}: ${answer ? "yes" : "no"}`);
console.log(`Written to ${values.out}: read it, and send it back (docs/reporting.md).`);

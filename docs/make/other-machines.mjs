/** Tables of data/results/other-machines.json: times on many cores, and on a GPU, as its `how` says they were taken. */
import { readFileSync } from "node:fs";
import { quantile } from "../../lib/util/statistics.js";

/** @typedef {{ train?: number[], eval: number[] }} Times */
/** @typedef {Record<string, Times>} Cases */
/**
 * @typedef {object} OtherMachines
 * @property {string} date
 * @property {string} commit
 * @property {{ cpu: string, cores: number, torch: string }} environment
 * @property {{ threads: number, milliseconds: Cases }[]} threads
 * @property {{ name: string, milliseconds: Cases }} gpu
 */

/** @returns {OtherMachines} */
function measured() {
  const path = new URL("../../data/results/other-machines.json", import.meta.url);
  /** @type {unknown} */
  const parsed = JSON.parse(readFileSync(path, "utf8"));
  return /** @type {OtherMachines} */ (parsed);
}

/** @param {number[]} values */
const median = (values) => quantile(values, 0.5);

/** @param {number} milliseconds */
const shown = (milliseconds) => milliseconds.toFixed(milliseconds < 10 ? 1 : 0);

/** @param {Cases} cases @param {string} name @param {"train" | "eval"} what */
function time(cases, name, what) {
  const values = cases[name]?.[what];
  if (values === undefined) throw new Error(`no times of ${name}, ${what}`);
  return values;
}

/** What is compared: title, the case here, PyTorch's. @type {[title: string, what: "train" | "eval", own: string, peer: string][]} */
const COMPARED = [
  ["training step, float32", "train", "full", "PyTorch"],
  ["128 images, float32", "eval", "full", "PyTorch"],
  ["training step, mixed", "train", "full, mixed", "PyTorch, bfloat16"],
  ["128 images, mixed", "eval", "full, mixed", "PyTorch, bfloat16"],
  ["16 images, float32", "eval", "full, batch 16", "PyTorch, batch 16"],
  ["1 image, float32", "eval", "full, batch 1", "PyTorch, batch 1"],
  ["1 image, mixed", "eval", "full, batch 1, mixed", "PyTorch, batch 1, bfloat16"],
];

/** A row a case, a column for each number of cores: milliseconds here and of PyTorch, and the median of the rounds' ratios. */
export function byThreads() {
  const { threads } = measured();
  const cell = (/** @type {Cases} */ cases, /** @type {typeof COMPARED[number]} */ [, what, own, peer]) => {
    const here = time(cases, own, what);
    const there = time(cases, peer, what);
    const ratio = median(here.map((value, i) => (there[i] ?? NaN) / value));
    return `**${ratio.toFixed(1)}**; ${shown(median(here))} against ${shown(median(there))} ms`;
  };
  return {
    heads: ["times as fast as PyTorch", ...threads.map((one) => `${String(one.threads)} cores`)],
    rows: COMPARED.map((row) => [row[0], ...threads.map((one) => cell(one.milliseconds, row))]),
  };
}

/** How many times as fast products by matrix registers are as those by pairs of integers (avx512-vnni), in mixed precision. */
export function matrixRegisters() {
  const { threads } = measured();
  const cell = (
    /** @type {Cases} */ cases,
    /** @type {string} */ name,
    /** @type {"train" | "eval"} */ what,
  ) => {
    const pairs = time(cases, `${name}, avx512-vnni`, what);
    return median(time(cases, name, what).map((value, i) => (pairs[i] ?? NaN) / value)).toFixed(2);
  };
  /** @type {[string, string, "train" | "eval"][]} */
  const rows = [
    ["full width, training step", "full, mixed", "train"],
    ["full width, 128 images", "full, mixed", "eval"],
    ["quarter width, training step", "quarter, mixed", "train"],
    ["quarter width, 128 images", "quarter, mixed", "eval"],
  ];
  return {
    heads: ["matrix registers", ...threads.map((one) => `${String(one.threads)} cores`)],
    rows: rows.map(([title, name, what]) => [
      title,
      ...threads.map((one) => cell(one.milliseconds, name, what)),
    ]),
  };
}

/**
 * Milliseconds on the GPU, and beside it of this project's kernels on all cores of the same machine. At full width many images
 * were timed in float32 as it is multiplied by default here; the others by TensorFlow's default, TF32.
 */
export function onGpu() {
  const { threads, gpu } = measured();
  const processor = threads.at(-1);
  if (processor === undefined) throw new Error("nothing was timed on a processor");
  const on = (/** @type {Cases} */ cases, /** @type {string} */ name, /** @type {"train" | "eval"} */ what) =>
    shown(median(time(cases, name, what)));
  /** @type {[string, string, string, string | undefined, "train" | "eval"][]} */
  const rows = [
    ["full width, training step", "full, float32", "full", "PyTorch", "train"],
    ["full width, 128 images", "full, float32", "full", "PyTorch", "eval"],
    ["quarter width, training step, TF32 here", "quarter, TF32", "quarter", undefined, "train"],
    ["quarter width, 128 images, TF32 here", "quarter, TF32", "quarter", undefined, "eval"],
    ["full width, 1 image, TF32 here", "full, batch 1, TF32", "full, batch 1", "PyTorch, batch 1", "eval"],
  ];
  return {
    heads: [
      "ms",
      `here on the GPU`,
      `here on ${String(processor.threads)} cores, own kernels`,
      "PyTorch on the GPU",
    ],
    rows: rows.map(([title, there, here, torch, what]) => [
      title,
      on(gpu.milliseconds, there, what),
      on(processor.milliseconds, here, what),
      torch === undefined ? "" : on(gpu.milliseconds, torch, what),
    ]),
  };
}

/** Where and when, in a sentence. */
export function otherMachine() {
  const { environment, gpu, date, commit } = measured();
  return `${environment.cpu}, ${String(environment.cores)} cores, and one ${gpu.name}, PyTorch ${environment.torch}; ${date}, commit ${commit.slice(0, 7)}. Medians of the rounds' ratios and times.`;
}

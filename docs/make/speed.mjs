/** Tables of data/results/benchmark*.json, which `cascade bench --peer ... --out` wrote. */
import { readFileSync } from "node:fs";

/** @typedef {{ median: number, min: number, max: number }} Spread */
/** @typedef {{ torch?: string, batch: number, bf16?: boolean, channelsLast?: boolean, merged?: boolean }} Greeting */
/** @typedef {{ what: string, own: Spread, peer: Spread, ratio: Spread }} Comparison */
/**
 * @typedef {object} Benchmark
 * @property {{ cpu: string, cores: number, threads: number, commit: string, backend: string }} environment
 * @property {number} peakMultiplyAddsPerSecond
 * @property {number} memoryBytesPerSecond
 * @property {{ case: string, greeting: Greeting, comparisons: Comparison[], peakMemory?: number, peerPeakMemory?: number }[]} comparisons
 * @property {{ case: string, all: Spread, second: Spread, shareOfLimit: number }[]} fewImages
 * @property {{ case: string, what: string, milliseconds: Spread, imagesPerSecond: number, shareOfPeak: number }[]} measurements
 */

const root = new URL("../../", import.meta.url);

/** @param {string} file @returns {unknown} */
const read = (file) => JSON.parse(readFileSync(new URL(file, root), "utf8"));

/**
 * What a command measured and wrote; an error where it was measured on code of no commit, which nobody could measure again.
 *
 * @param {string} file
 * @returns {unknown}
 */
function measured(file) {
  const parsed = read(file);
  const { commit } = /** @type {{ environment: { commit: string | null } }} */ (parsed).environment;
  if (commit === null || commit.endsWith("-dirty"))
    throw new Error(`${file} was measured on code of no commit; commit, and measure it again`);
  return parsed;
}

/** @returns {Benchmark} */
function benchmark() {
  return /** @type {Benchmark} */ (measured("data/results/benchmark.json"));
}

/** Of another processor, before a record had to be of a commit. @returns {Benchmark} */
function formerBenchmark() {
  return /** @type {Benchmark} */ (read("data/results/benchmark-amd-26.json"));
}

/** @param {number} value @param {number} digits */
const shown = (value, digits) => value.toFixed(digits);
/** @param {Spread} spread @param {number} digits */
const spread = ({ median, min, max }, digits) =>
  `${shown(median, digits)} (${shown(min, digits)} to ${shown(max, digits)})`;
/** Three digits or so. @param {number} milliseconds */
const digitsOf = (milliseconds) => (milliseconds < 10 ? 2 : milliseconds < 100 ? 1 : 0);

/** @param {Greeting} greeting */
const peerName = ({ merged, bf16, channelsLast }) =>
  [
    merged === true ? "each distinct step once" : "every block at every timestep",
    bf16 === true ? "bfloat16" : "float32",
    ...(channelsLast === true ? ["channels last"] : []),
  ].join(", ");

/** What a case of a comparison is, a row. @param {string} name @param {string} what */
const rowName = (name, what) =>
  `${what === "evaluation" ? "all timesteps" : what}, ${/mixed/.test(name) ? "mixed precision" : "float32"} here`;

/**
 * A row for each thing that was timed, a column for each way in which the peer does it: this project's milliseconds, and how
 * many times as long the peer takes.
 * @param {number} batch
 * @returns {{ heads: string[], rows: string[][] }}
 */
export function againstPeers(batch) {
  const compared = benchmark().comparisons.filter(({ greeting }) => greeting.batch === batch);
  const parallel = compared.filter(({ case: name }) => !/serial/.test(name));
  const peers = [...new Set(parallel.map(({ greeting }) => peerName(greeting)))];
  const names = [
    ...new Set(parallel.flatMap((one) => one.comparisons.map(({ what }) => rowName(one.case, what)))),
  ];
  const cell = (/** @type {string} */ row, /** @type {string} */ peer) => {
    const found = parallel
      .filter(({ greeting }) => peerName(greeting) === peer)
      .flatMap((one) => one.comparisons.filter(({ what }) => rowName(one.case, what) === row))[0];
    return found === undefined
      ? ""
      : `**${shown(found.ratio.median, 2)}** (${shown(found.ratio.min, 2)} to ${shown(found.ratio.max, 2)}); ${shown(found.own.median, digitsOf(found.own.median))} against ${shown(found.peer.median, digitsOf(found.peer.median))} ms`;
  };
  return {
    heads: ["times as fast as PyTorch with", ...peers],
    rows: names.map((row) => [row, ...peers.map((peer) => cell(row, peer))]),
  };
}

/** Few images, opened once: milliseconds to all answers, and to that at t = 2. */
export function fewImages() {
  return {
    heads: ["case", "all timesteps, ms", "t = 2 alone, ms", "t = 2 of all, %", "of the machine's limit, %"],
    rows: benchmark().fewImages.map(({ case: name, all, second, shareOfLimit }) => [
      name,
      spread(all, 2),
      spread(second, 2),
      shown((100 * second.median) / all.median, 0),
      shown(100 * shareOfLimit, 0),
    ]),
  };
}

/** Training steps and evaluations of 128 images. */
export function manyImages() {
  return {
    heads: ["case", "", "ms", "images/s", "of the multiplication peak, %"],
    rows: benchmark().measurements.map(({ case: name, what, milliseconds, imagesPerSecond, shareOfPeak }) => [
      name,
      what,
      spread(milliseconds, 0),
      shown(imagesPerSecond, 0),
      shown(100 * shareOfPeak, 0),
    ]),
  };
}

/** Where it was measured, in a sentence. */
export function measuredOn() {
  const { environment, peakMultiplyAddsPerSecond, memoryBytesPerSecond, comparisons } = benchmark();
  const { cpu, cores, threads, backend, commit } = environment;
  const torch = comparisons.map(({ greeting }) => greeting.torch).find((version) => version !== undefined);
  const peer = torch === undefined ? "" : `, PyTorch ${torch}`;
  return `${cpu}, ${String(cores)} cores, ${String(threads)} threads, ${backend}${peer}; matrix multiplication ${shown(peakMultiplyAddsPerSecond / 1e9, 0)} G multiply-adds/s, memory ${shown(memoryBytesPerSecond / 1e9, 0)} GB/s; commit ${commit.slice(0, 7)}. Medians, in brackets the smallest and the largest.`;
}

/**
 * How many times as fast as by the fastest peer something is had here: in float32 where asked, else in either precision.
 * @param {Benchmark} of @param {string} name @param {string} what @param {"float32" | "either"} precision
 */
function overBestPeer(of, name, what, precision) {
  const ratios = of.comparisons
    .filter(({ case: own, greeting }) => own === name && (precision === "either" || greeting.bf16 !== true))
    .flatMap((one) => one.comparisons.filter((each) => each.what === what))
    .map(({ ratio }) => ratio.median);
  if (ratios.length === 0) throw new Error(`no peer was compared with in ${name}, ${what}`);
  return shown(Math.min(...ratios), 1);
}

/**
 * Both precisions against the peer's best way: float32 against float32, mixed precision against whatever is faster.
 * @param {Benchmark} of @param {string} name @param {string} what
 */
const bothRatios = (of, name, what) => ({
  float32: overBestPeer(of, name, what, "float32"),
  mixed: overBestPeer(of, `${name}, mixed`, what, "either"),
});

/** @param {string} name @param {string} what */
function inBoth(name, what) {
  const { float32, mixed } = bothRatios(benchmark(), name, what);
  return `${float32} times as fast in float32 and ${mixed} times in mixed precision`;
}

/** How many times as fast as the peer's best way, by processor. */
export function byProcessor() {
  const all = [benchmark(), formerBenchmark()];
  /** @type {[string, string, string][]} */
  const cases = [
    ["training step", "full", "training step"],
    ["128 images", "full", "evaluation"],
    ["1 image", "full, batch 1", "evaluation"],
  ];
  return {
    heads: ["times as fast as PyTorch's fastest way", ...all.map(({ environment }) => environment.cpu)],
    rows: cases.flatMap(([title, name, what]) => {
      const ratios = all.map((one) => bothRatios(one, name, what));
      return [
        [`${title}, float32`, ...ratios.map(({ float32 }) => float32)],
        [`${title}, mixed`, ...ratios.map(({ mixed }) => mixed)],
      ];
    }),
  };
}

/** Against the best of the ways in which the peer was written and run. */
export function inShort() {
  const { environment } = benchmark();
  return `On ${String(environment.cores)} cores of an ${environment.cpu}, beside the fastest of the ways in which PyTorch was made to do the same, one that computes equal timesteps once among them, a full-width ResNet-18 is trained ${inBoth("full", "training step")} (float32 or bfloat16 there, whichever is faster), all its answers about 128 images are had ${inBoth("full", "evaluation")}, and those about one image ${inBoth("full, batch 1", "evaluation")}.`;
}

/** @typedef {{ case: string, what: string, milliseconds: Record<string, number> }} Shares */

/** Where the time of cascades and of narrow serial networks goes, as `cascade profile` took it apart (profile.json). */
export function whereTimeGoes() {
  const { environment, shares } = /** @type {{ environment: Benchmark["environment"], shares: Shares[] }} */ (
    measured("data/results/profile.json")
  );
  const percentOf = (/** @type {string} */ kind, /** @type {(one: Shares) => boolean} */ chosen) => {
    const percents = shares.filter(chosen).map(({ milliseconds }) => {
      const all = Object.values(milliseconds).reduce((sum, value) => sum + value, 0);
      return Math.round((100 * (milliseconds[kind] ?? NaN)) / all);
    });
    return `${String(Math.min(...percents))} to ${String(Math.max(...percents))} %`;
  };
  const isSerial = (/** @type {Shares} */ one) => one.case.includes("serial");
  const cascades = (/** @type {string} */ size) =>
    percentOf("convolution", (one) => one.case.startsWith(size) && !isSerial(one));
  const waiting = percentOf(
    "idle",
    (one) => one.case.startsWith("quarter") && isSerial(one) && one.what === "training step",
  );
  const where = `On ${String(environment.threads)} threads of an ${environment.cpu} (commit ${environment.commit.slice(0, 7)})`;
  return `${where} convolution takes ${cascades("full")} of the time of cascades at full width and ${cascades("quarter")} at quarter width; the serial networks of quarter width wait for JavaScript for ${waiting} of a training step ([where the time goes](../data/results/time-shares.svg)).`;
}

import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import {
  batchMilliseconds,
  BENCHMARK_CASES,
  type BenchmarkCase,
  COMPARED_CASES,
  type Measurement,
  matrixMultiplicationPeak,
  measurementOf,
  peakMemory,
  type Spread,
  spreadOf,
  TimedNetwork,
} from "../experiments/benchmark/benchmark.js";
import {
  FEW_IMAGES_CASES,
  type FewImagesMeasurement,
  measureFewImages,
  memoryBandwidth,
  TimedAnswers,
} from "../experiments/benchmark/few-images.js";
import { answerAsPeer } from "../experiments/benchmark/answer-as-peer.js";
import { BenchmarkPeer } from "../experiments/benchmark/benchmark-peer.js";
import { currentEnvironment } from "../experiments/runs/environment.js";
import { describeBackend } from "../nn/backend/kernel-level.js";
import { UserError } from "../util/errors.js";
import { writeFileAtomic } from "../util/files.js";
import { wholeNumber } from "./options.js";
import { writeOut } from "./output.js";

interface BenchOptions {
  readonly peer: readonly string[];
  readonly rounds: number;
  readonly json?: true;
  readonly out?: string;
  readonly only?: string;
  readonly answer?: string;
}

interface Comparison {
  readonly what: Measurement["what"];
  readonly own: Spread;
  readonly peer: Spread;
  /** The peer's time over this project's, round by round. */
  readonly ratio: Spread;
}

/** `cascade bench`: how fast training, evaluation, streaming and data are, here and now. */
export function benchCommand(): Command {
  return new Command("bench")
    .description(
      "time training steps, evaluation, streams and data; with --peer alternate with another program",
    )
    .option(
      "--peer <command>",
      'a program that answers "train" and "eval" lines with {"ms": ...}, to alternate with; may be given again',
      (command: string, before: readonly string[]) => [...before, command],
      [],
    )
    .option("--rounds <n>", "how often each thing is timed", wholeNumber(1), 7)
    .option("--only <text>", "only the cases whose name begins with this")
    .option(
      "--answer <case>",
      "be such a peer for this case: of another version, or with CASCADE_KERNELS at another level",
    )
    .option("--json", "print the result as JSON")
    .option("--out <file>", "write the result as JSON to a file as well")
    .action(async (options: BenchOptions) => {
      if (options.answer !== undefined) {
        await answerAsPeer(caseNamed(options.answer), process.stdin, writeOut);
        return;
      }
      const chosen = ({ name }: BenchmarkCase): boolean => name.startsWith(options.only ?? "");
      const cases = BENCHMARK_CASES.filter(chosen);
      const few = FEW_IMAGES_CASES.filter(chosen);
      if (cases.length + few.length === 0) throw noCase(`begins with "${options.only ?? ""}"`);
      const peak = matrixMultiplicationPeak();
      const bandwidth = memoryBandwidth();
      // Comparisons come first, so that the first one's peak memory is that of its case alone.
      const comparisons: ComparedCase[] = [];
      for (const command of options.peer)
        comparisons.push(...(await compareWith(command, cases, options.rounds)));
      const fewImages = few.map((spec) =>
        measureFewImages(spec, 5 * options.rounds, { multiplyAdds: peak, bytes: bandwidth }),
      );
      const measurements: Measurement[] = [];
      const streams: { case: string; milliseconds: number[] }[] = [];
      for (const spec of cases) {
        const timed = new TimedNetwork(spec);
        for (const [what, run] of [
          ["training step", () => timed.train()],
          ["evaluation", () => timed.evaluate()],
        ] as const) {
          run();
          const measured = measurementOf(timed, what, Array.from({ length: options.rounds }, run), peak);
          measurements.push(measured);
          process.stderr.write(`${measurementText(measured)}\n`);
        }
        // A stream computes in float32, whatever the training did.
        if (spec.precision === "float32")
          streams.push({ case: spec.name, milliseconds: medianStream(timed, options.rounds) });
        timed.dispose();
      }
      const result = {
        environment: currentEnvironment({ backend: describeBackend() }),
        peakMultiplyAddsPerSecond: peak,
        memoryBytesPerSecond: bandwidth,
        comparisons,
        fewImages,
        measurements,
        streams,
        batchMilliseconds: batchMilliseconds(),
      };
      const json = `${JSON.stringify(result, null, 2)}\n`;
      if (options.out !== undefined) await writeFileAtomic(options.out, json);
      if (options.json === true) process.stdout.write(json);
      else writeReport(result);
    });
}

const ALL_CASES = [...BENCHMARK_CASES, ...FEW_IMAGES_CASES];

const noCase = (what: string): UserError =>
  new UserError(`no case ${what}; there are ${ALL_CASES.map(({ name }) => name).join("; ")}`);

function caseNamed(wanted: string): BenchmarkCase {
  const found = ALL_CASES.find(({ name }) => name === wanted);
  if (found === undefined) throw noCase(`is named "${wanted}"`);
  return found;
}

const NAME_WIDTH = Math.max(...BENCHMARK_CASES.map(({ name }) => name.length));

type ComparedCase = Awaited<ReturnType<typeof compare>>;

/** A case that a peer is compared in, timed: many images are trained on as well. */
type ComparedRun = readonly [what: Measurement["what"], run: () => number, name: "train" | "eval"];

/**
 * Few images come one after the other, as in a stream: each side has so many passes at its turn, after one that brings its
 * weights back into the cache.
 */
const PASSES_OF_FEW_IMAGES = 10;
/** What threads that look for work after a pass need to fall asleep: they would slow the other side's short passes. */
const REST_MS = 300;

/** Milliseconds of a pass: the median of those of one turn. */
async function turn(pass: () => number | Promise<number>, passes: number): Promise<number> {
  if (passes === 1) return pass();
  await sleep(REST_MS);
  await pass();
  const times: number[] = [];
  while (times.length < passes) times.push(await pass());
  return spreadOf(times).median;
}

/** A peer against the cases of its batch size; without word of one, against those of many images. */
async function compareWith(command: string, cases: readonly BenchmarkCase[], rounds: number) {
  const { peer, greeting } = await BenchmarkPeer.start(command);
  const compared: ComparedCase[] = [];
  try {
    const { batch } = greeting;
    // The peer is a cascade of full width.
    const comparable = FEW_IMAGES_CASES.filter(({ width, scheme }) => width === 1 && scheme === "parallel");
    for (const spec of comparable.filter((few) => few.batch === batch)) {
      const timed = new TimedAnswers(spec);
      const runs: ComparedRun[] = [["evaluation", () => timed.all(), "eval"]];
      compared.push(await compare(spec.name, runs, { peer, greeting }, rounds, PASSES_OF_FEW_IMAGES));
      timed.dispose();
    }
    if (compared.length > 0) return compared;
    const usual = cases.filter((spec) => COMPARED_CASES.includes(spec));
    for (const spec of usual.length > 0 ? usual : cases.slice(0, 1)) {
      const timed = new TimedNetwork(spec);
      const runs: ComparedRun[] = [
        ["training step", () => timed.train(), "train"],
        ["evaluation", () => timed.evaluate(), "eval"],
      ];
      compared.push(await compare(spec.name, runs, { peer, greeting }, rounds, 1));
      timed.dispose();
    }
    return compared;
  } finally {
    peer.stop();
  }
}

async function compare(
  name: string,
  runs: readonly ComparedRun[],
  { peer, greeting }: Awaited<ReturnType<typeof BenchmarkPeer.start>>,
  rounds: number,
  passes: number,
) {
  const comparisons: Comparison[] = [];
  for (const [what, run, command] of runs) {
    run();
    await peer.time(command);
    const own: number[] = [];
    const other: number[] = [];
    for (let round = 0; round < rounds; round++) {
      own.push(await turn(run, passes));
      other.push(await turn(() => peer.time(command), passes));
    }
    const ratios = own.map((milliseconds, i) => (other[i] ?? NaN) / milliseconds);
    comparisons.push({ what, own: spreadOf(own), peer: spreadOf(other), ratio: spreadOf(ratios) });
  }
  return { case: name, greeting, comparisons, peakMemory: peakMemory(), peerPeakMemory: peer.peakMemory() };
}

/** [T] the median, over rounds, of the time to each timestep. */
function medianStream(timed: TimedNetwork, rounds: number): number[] {
  timed.stream();
  const runs = Array.from({ length: rounds }, () => timed.stream());
  return (runs[0] ?? []).map((_, t) => spreadOf(runs.map((run) => run[t] ?? NaN)).median);
}

function writeReport(result: {
  readonly comparisons: readonly ComparedCase[];
  readonly fewImages: readonly FewImagesMeasurement[];
  readonly memoryBytesPerSecond: number;
  readonly measurements: readonly Measurement[];
  readonly streams: readonly { readonly case: string; readonly milliseconds: readonly number[] }[];
  readonly peakMultiplyAddsPerSecond: number;
  readonly batchMilliseconds: Spread;
}): void {
  writeOut(`matrix multiplication: ${giga(result.peakMultiplyAddsPerSecond)} G multiply-adds/s`);
  writeOut(`memory: ${giga(result.memoryBytesPerSecond)} GB/s`);
  for (const { case: name, all, second, shareOfLimit } of result.fewImages)
    writeOut(
      `${name.padEnd(NAME_WIDTH)} all timesteps ${preciseText(all)} ms, t = 2 ${preciseText(second)} ms, ${(100 * shareOfLimit).toFixed(0)} % of the limit`,
    );
  for (const measured of result.measurements) writeOut(measurementText(measured));
  for (const { case: name, milliseconds } of result.streams) {
    const shown = milliseconds.length > 12 ? milliseconds.filter((_, t) => t % 10 === 9) : milliseconds;
    writeOut(
      `${name.padEnd(NAME_WIDTH)} one image, ms to each ${milliseconds.length > 12 ? "tenth " : ""}timestep: ${shown.map((ms) => ms.toFixed(1)).join(" ")}`,
    );
  }
  writeOut(`a batch of 128 augmented images: ${spreadText(result.batchMilliseconds)} ms`);
  const memory = (bytes: number | undefined): string =>
    bytes === undefined ? "unknown" : `${(bytes / 2 ** 30).toFixed(2)} GiB`;
  for (const compared of result.comparisons) {
    writeOut(`against ${JSON.stringify(compared.greeting)}:`);
    for (const { what, own, peer, ratio } of compared.comparisons) {
      writeOut(
        `${compared.case}, ${what}: ${spreadText(own)} ms, peer ${spreadText(peer)} ms: ${ratio.median.toFixed(2)} times as fast (${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)})`,
      );
    }
    writeOut(`peak memory so far: ${memory(compared.peakMemory)}, peer ${memory(compared.peerPeakMemory)}`);
  }
}

function measurementText({
  case: name,
  what,
  milliseconds,
  imagesPerSecond,
  multiplyAddsPerSecond,
  shareOfPeak,
}: Measurement): string {
  return `${name.padEnd(NAME_WIDTH)} ${what.padEnd(13)} ${spreadText(milliseconds)} ms  ${imagesPerSecond.toFixed(0)} images/s  ${giga(multiplyAddsPerSecond)} G multiply-adds/s  ${(100 * shareOfPeak).toFixed(0)} % of peak`;
}

function spreadText({ median, min, max }: Spread): string {
  return `${median.toFixed(1)} (${min.toFixed(1)} to ${max.toFixed(1)})`;
}

function preciseText({ median, min, max }: Spread): string {
  return `${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`;
}

function giga(perSecond: number): string {
  return (perSecond / 1e9).toFixed(0);
}

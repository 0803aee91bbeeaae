import { promisify } from "node:util";
import { deflate } from "node:zlib";
import sharp from "sharp";
import type { ImageSet } from "../datasets/dataset.js";
import type { TracedImages } from "../experiments/runs/traced-images.js";
import { predictions, probabilities } from "../trace/probabilities.js";
import { stoppingSignal } from "../trace/stopping-time.js";
import type { Trace } from "../trace/trace.js";
import { UserError } from "../util/errors.js";
import { valuesPerImage } from "../util/image-size.js";
import { visibleText } from "../util/visible-text.js";

/** What the page knows, with its numbers as text. */
export interface ExplorerData {
  readonly head: ExplorerHead;
  /** The arrays of `ExplorerHead.arrays` behind one another, deflated, in base64. */
  readonly numbers: string;
  /** Pictures as data URIs: sheets of `SHEET.across` x `SHEET.down` images, row by row. */
  readonly sheets: readonly string[];
}

interface ExplorerHead {
  readonly model: string;
  readonly classNames: readonly string[];
  readonly timesteps: number;
  readonly examples: number;
  /** How many images there were to draw from. */
  readonly of: number;
  /** Classes whose probability is kept of each image. */
  readonly kept: number;
  readonly signals: readonly string[];
  readonly levels: number;
  readonly sheet: { readonly across: number; readonly down: number; readonly side: number };
  /** Names, element types and lengths, in order. */
  readonly arrays: readonly (readonly [string, "Int32" | "Uint16" | "Uint8", number])[];
}

/** Values from 0 to 1 are kept as whole numbers of 1/200, rounded down, so that thresholds in 1/100 cut exactly. */
const LEVELS = 200;
/** Stands for an unknown typicality. */
const UNKNOWN = 255;
/** The most classes that are drawn of an image. */
const MOST_CLASSES = 10;
/** Images of a sheet; one of 64 pixels a side is within what browsers decode at once. */
const SHEET = { across: 40, down: 25 };
const MOST_PIXELS = 64;
const WEBP = { quality: 82, smartSubsample: true } as const;

/** Everything the page shows, coded small. Throws a UserError where images and trace are not of the same examples. */
export async function explorerData(
  { trace, images, signals = [] }: TracedImages,
  of: number,
): Promise<ExplorerData> {
  assertSameExamples(trace, images);
  const watched = [
    { name: "confidence", values: stoppingSignal(trace, "confidence") },
    { name: "margin", values: stoppingSignal(trace, "margin") },
    { name: "1 - entropy", values: stoppingSignal(trace, "entropy").map((value) => 1 + value) },
    ...signals,
  ];
  const arrays = { ...imageArrays(trace, images), ...beliefs(trace), ...signalArrays(trace, watched) };
  const side = Math.min(MOST_PIXELS, images.size.width);
  return {
    head: {
      model: visibleText(trace.model ?? "a model"),
      classNames: images.classNames.map(visibleText),
      timesteps: trace.timesteps,
      examples: trace.examples,
      of,
      kept: Math.min(MOST_CLASSES, trace.classes),
      signals: watched.map(({ name }) => visibleText(name)),
      levels: LEVELS,
      sheet: { ...SHEET, side },
      arrays: Object.entries(arrays).map(([name, values]) => [name, typeOf(values), values.length] as const),
    },
    numbers: await packed(Object.values(arrays)),
    sheets: await sheetsOf(images, side),
  };
}

function assertSameExamples({ examples, classes, ids, labels }: Trace, images: ImageSet): void {
  const differ =
    examples !== images.labels.length ||
    classes !== images.classNames.length ||
    ids.some((id, n) => id !== images.ids[n] || labels[n] !== images.labels[n]);
  if (differ)
    throw new UserError(
      "the trace and the images are not of the same examples; take those that the run tested on: testImages(spec, await runDataset(run))",
    );
}

type Codes = Int32Array | Uint16Array | Uint8Array;

const typeOf = (values: Codes): "Int32" | "Uint16" | "Uint8" =>
  values instanceof Int32Array ? "Int32" : values instanceof Uint16Array ? "Uint16" : "Uint8";

function imageArrays({ ids, labels }: Trace, { cScores }: ImageSet): Record<string, Codes> {
  return {
    ids: Int32Array.from(ids),
    labels: Uint16Array.from(labels),
    ...(cScores && { typicality: Uint8Array.from(cScores, (score) => (score >= 0 ? code(score) : UNKNOWN)) }),
  };
}

/** answers [N, T]; of each image the classes that were ever most probable [N, kept], and their probabilities [N, T, kept]. */
function beliefs(trace: Trace): Record<string, Codes> {
  const { timesteps: T, examples: N, classes: K } = trace;
  const kept = Math.min(MOST_CLASSES, K);
  const [probs, answer] = [probabilities(trace), predictions(trace)];
  const answers = new Uint16Array(N * T);
  const classes = new Uint16Array(N * kept);
  const probabilityCodes = new Uint8Array(N * T * kept);
  for (let n = 0; n < N; n++) {
    const at = (t: number, k: number): number => probs[(t * N + n) * K + k] as number;
    const chosen = everProbable(at, T, K, trace.labels[n] as number).slice(0, kept);
    classes.set(chosen, n * kept);
    for (let t = 0; t < T; t++) {
      answers[n * T + t] = answer[t * N + n] as number;
      probabilityCodes.set(
        chosen.map((k) => code(at(t, k))),
        (n * T + t) * kept,
      );
    }
  }
  return { answers, classes, probabilities: probabilityCodes };
}

/** The label, then the other classes by the highest probability that each ever has. */
function everProbable(at: (t: number, k: number) => number, T: number, K: number, label: number): number[] {
  const highest = Array.from({ length: K }, (_, k) => {
    let most = k === label ? Infinity : 0;
    for (let t = 0; t < T; t++) most = Math.max(most, at(t, k));
    return most;
  });
  return [...highest.keys()].sort((a, b) => (highest[b] as number) - (highest[a] as number));
}

/** Each signal as [N, T]. */
function signalArrays(
  { timesteps: T, examples: N }: Trace,
  signals: readonly { readonly name: string; readonly values: ArrayLike<number> }[],
): Record<string, Codes> {
  const turned = signals.map(({ name, values }, s) => {
    if (values.length !== T * N)
      throw new UserError(`the signal "${name}" has ${values.length} values; T x N = ${T} x ${N} are needed`);
    const codes = Uint8Array.from({ length: N * T }, (_, i) =>
      code(values[(i % T) * N + Math.floor(i / T)] as number),
    );
    return [`signal${s}`, codes] as const;
  });
  return Object.fromEntries(turned);
}

/** The largest c with c / LEVELS <= value: so value >= i / 100 where c >= 2 i, and only there. */
export function code(value: number): number {
  const rounded = Math.round(LEVELS * value);
  return Math.max(0, Math.min(LEVELS, rounded / LEVELS <= value ? rounded : rounded - 1));
}

async function packed(arrays: readonly Codes[]): Promise<string> {
  const bytes = Buffer.concat(
    arrays.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength)),
  );
  return (await promisify(deflate)(bytes, { level: 9 })).toString("base64");
}

async function sheetsOf({ images, labels, size }: ImageSet, side: number): Promise<string[]> {
  const { across, down } = SHEET;
  const values = valuesPerImage(size);
  const sheets: string[] = [];
  for (let first = 0; first < labels.length; first += across * down) {
    const count = Math.min(across * down, labels.length - first);
    const { height, width } = { height: size.height * Math.ceil(count / across), width: size.width * across };
    const sheet = Buffer.alloc(height * width * 3);
    for (let i = 0; i < count; i++)
      for (let y = 0; y < size.height; y++) {
        const from = (first + i) * values + y * size.width * 3;
        const row = Math.floor(i / across) * size.height + y;
        sheet.set(
          images.subarray(from, from + size.width * 3),
          (row * width + (i % across) * size.width) * 3,
        );
      }
    const webp = await sharp(sheet, { raw: { height, width, channels: 3 } })
      .resize(side * across)
      .webp(WEBP)
      .toBuffer();
    sheets.push(`data:image/webp;base64,${webp.toString("base64")}`);
  }
  return sheets;
}

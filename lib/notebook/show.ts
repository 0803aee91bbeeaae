import { inspect } from "node:util";
import { type ImageSet } from "../datasets/dataset.js";
import { pngDataUri } from "../datasets/encode.js";
import { runsTable } from "../experiments/comparing/runs-table.js";
import { RunRecord } from "../experiments/runs/run-record.js";
import { type FigureLike, plotText } from "../figures/figure.js";
import { imageGrid, type CaptionedImage } from "../figures/image-grid.js";
import { accuracyPerTimestep } from "../trace/accuracy-per-timestep.js";
import type { Trace } from "../trace/trace.js";
import { valuesPerImage } from "../util/image-size.js";
import { emitDisplay } from "./emit-display.js";
import { showFigure } from "./show-figure.js";
import type { TableLike, TableOptions } from "../util/table-cells.js";
import { showTable } from "./show-table.js";
import { showText } from "./show-text.js";

/**
 * Shows anything below the cell: a figure, a table (rows, arquero, danfo), a trace as its accuracies, runs side
 * by side, some images of a set, a text as a paragraph, anything else as Node prints it. Call it with `await`.
 */
export async function show(value: unknown, options: TableOptions = {}): Promise<void> {
  if (typeof value === "string") showText(value);
  else if (isFigure(value)) await showFigure(value);
  else if (isRuns(value)) showTable(runsTable({}, [value].flat()), options);
  else if (isTable(value)) showTable(value, options);
  else if (isTrace(value)) showTrace(value, options);
  else if (isImageSet(value)) await showFigure(await someImages(value, options.limit));
  else emitDisplay({ "text/plain": inspect(value) });
}

type Fields = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null;

const isRow = (value: unknown): boolean =>
  isObject(value) && [Object.prototype, null].includes(Object.getPrototypeOf(value) as null);

/** Grouped data frames and tables have data too, which are no objects of Plotly's. */
const isFigure = (value: unknown): value is FigureLike =>
  isObject(value) && Array.isArray(value["data"]) && value["data"].every(isRow) && !("columns" in value);

function isTable(value: unknown): value is TableLike {
  if (Array.isArray(value)) return value.length > 0 && value.every(isRow);
  if (!isObject(value)) return false;
  return (
    typeof value["columnNames"] === "function" ||
    (Array.isArray(value["columns"]) && Array.isArray(value["values"]))
  );
}

const isRuns = (value: unknown): value is RunRecord | readonly RunRecord[] =>
  value instanceof RunRecord ||
  (Array.isArray(value) && value.length > 0 && value.every((one) => one instanceof RunRecord));

const isTrace = (value: unknown): value is Trace =>
  isObject(value) && "logits" in value && "timesteps" in value && "labels" in value;

function showTrace(trace: Trace, options: TableOptions): void {
  const { model = "a model", timesteps, examples, classes } = trace;
  showText(`Trace of ${model}: ${timesteps} timesteps, ${examples} images, ${classes} classes`);
  const accuracy = [...accuracyPerTimestep(trace)];
  const rows = accuracy.map((share, timestep) => ({
    timestep,
    accuracy: share,
    ...(trace.cost && { "multiply-adds": trace.cost.multiplyAdds[timestep] }),
  }));
  showTable(rows, options);
}

const isImageSet = (value: unknown): value is ImageSet =>
  isObject(value) && value["images"] instanceof Uint8Array && "labels" in value && "classNames" in value;

const ACROSS = 10;

/** Images from all over a set, at equal distances, since a set may be sorted by class; each above its class. */
async function someImages(
  { images, labels, size, classNames }: ImageSet,
  limit = 2 * ACROSS,
): Promise<FigureLike> {
  const pixels = valuesPerImage(size);
  const count = Math.min(limit, labels.length);
  const places = Array.from({ length: count }, (_, i) => Math.floor((i * labels.length) / count));
  const shown: CaptionedImage[] = [];
  for (const i of places)
    shown.push({
      source: await pngDataUri(images.subarray(i * pixels, (i + 1) * pixels), size, 2),
      caption: plotText(classNames[labels[i] ?? 0] ?? ""),
    });
  const rows = Array.from({ length: Math.ceil(shown.length / ACROSS) }, (_, row) =>
    shown.slice(row * ACROSS, (row + 1) * ACROSS),
  );
  return imageGrid([{ title: `${shown.length} of ${labels.length} images`, rows }]);
}

/** What a cell ends with: rich where there is a rich form; plain values as Node prints them. */
async function showResult(value: unknown): Promise<void> {
  if ([isFigure, isRuns, isTable, isTrace, isImageSet].some((has) => has(value))) await show(value);
  else console.log(value);
}

// The kernel (lib/setup/kernel/handler.mjs) shows the last value of a cell by it.
Object.assign(globalThis, { [Symbol.for("anytime-cascade.show")]: showResult });

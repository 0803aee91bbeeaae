import { from } from "arquero";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { subset } from "../datasets/split.js";
import type { TracedImages } from "../experiments/runs/traced-images.js";
import { renderSvg } from "../figures/draw.js";
import { stoppingOverTimeFigure } from "../figures/stopping-over-time.js";
import type { PlotlyFigure } from "../figures/figure.js";
import { pointOfTimes, speedAccuracyCurve } from "../trace/speed-accuracy-curve.js";
import { subtrace } from "../trace/subtrace.js";
import type { Trace } from "../trace/trace.js";
import { selection } from "../trace/typicality.js";
import { UserError } from "../util/errors.js";
import { writeFileAtomic } from "../util/files.js";
import { randomStream } from "../util/random.js";
import { warnOnStandardError } from "../util/warn.js";
import { emitDisplay } from "./emit-display.js";
import { projectFolder } from "./project-folder.js";
import { escapeHtml } from "./show-table.js";
import { explorerData } from "./trace-explorer-data.js";

/** How much of an evaluation set is shown, and where. */
export interface TraceExplorerOptions {
  /** Images, drawn at random but the same at each call; 200 unless told, `Infinity` for all. */
  readonly count?: number;
  /** A file for the page, to be opened in a browser: the notebook then holds the still figure alone, and stays small. */
  readonly file?: string;
}

const FEW = 200;
/** Height of the page in pixels: it grows no wider than 1,180, so that all of it is in sight. */
const HEIGHT = 560;
/** Where the threshold stands at first. */
const THRESHOLD = 0.7;

/**
 * Shows a page below the cell on which the traces of an evaluation set can be looked through: images, their
 * probabilities over time, where they stop at a threshold that can be moved, and what accuracy and mean stopping time
 * that gives; by class, typicality, stopping time, right and wrong. It reaches nothing outside itself. A viewer without
 * scripts shows a still figure of stopping times. Call it with `await`.
 */
export async function showTraceExplorer(
  traced: TracedImages,
  options: TraceExplorerOptions = {},
): Promise<void> {
  const drawn = drawnImages(traced, options.count ?? FEW);
  const page = await pageOf(drawn, traced.trace.examples);
  if (options.file !== undefined) await writeFileAtomic(options.file, page);
  const still = await stillForm(drawn.trace);
  const { examples, model = "a model" } = drawn.trace;
  const size = `${examples} of ${traced.trace.examples} images of ${model}, ${(page.length / 1e6).toFixed(1)} MB`;
  emitDisplay({
    "text/html": options.file === undefined ? framed(page, still, size) : beside(options.file, still, size),
    ...(still !== undefined && { "image/svg+xml": still }),
    "text/plain": `Trace explorer: ${size}`,
  });
}

/** The explorer of all the images given, as one HTML document with its data inside. */
export async function traceExplorerPage(traced: TracedImages): Promise<string> {
  return pageOf(traced, traced.trace.examples);
}

async function pageOf(traced: TracedImages, of: number): Promise<string> {
  const template = await readFile(join(projectFolder(), "lib", "notebook", "trace-explorer.html"), "utf8");
  const { head, numbers, sheets } = await explorerData(traced, of);
  // "<" would let a class name end the script element.
  const data = JSON.stringify({ head: { ...head, threshold: THRESHOLD }, numbers, sheets }).replaceAll(
    "<",
    "\\u003c",
  );
  return template.replace(
    /(<script type="application\/json" id="data">)[^<]*/,
    (_, tag: string) => tag + data,
  );
}

function drawnImages({ trace, images, signals = [] }: TracedImages, count: number): TracedImages {
  const all = trace.examples;
  if (!(count >= 1)) throw new UserError(`the trace explorer was asked for ${count} images; give 1 or more`);
  if (count >= all) return { trace, images, signals };
  const places = randomStream(0, "trace explorer").permutation(all).subarray(0, Math.floor(count)).sort();
  const own = (values: ArrayLike<number>): Float64Array =>
    Float64Array.from(
      { length: trace.timesteps * places.length },
      (_, i) => values[Math.floor(i / places.length) * all + (places[i % places.length] as number)] as number,
    );
  return {
    trace: subtrace(trace, places),
    images: subset(images, places),
    signals: signals.map(({ name, values }) => ({ name, values: own(values) })),
  };
}

/** The still figure as SVG: stopping by confidence at the first threshold; nothing where no browser can be had. */
async function stillForm(trace: Trace): Promise<string | undefined> {
  try {
    return await renderSvg(stillFigure(trace));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    warnOnStandardError(`no still form of the explorer: ${error.message}`);
    return undefined;
  }
}

function stillFigure(trace: Trace): PlotlyFigure {
  const { latencies, right } = selection(trace, { kind: "confidence", threshold: THRESHOLD });
  const stops = Array.from({ length: trace.timesteps }, (_, timestep) => {
    const images = latencies.filter((t) => t === timestep).length;
    const rightOnes = right.filter((one, n) => one === 1 && latencies[n] === timestep).length;
    return { timestep, right: rightOnes, wrong: images - rightOnes };
  });
  return stoppingOverTimeFigure({
    stops: from(stops),
    curve: from(speedAccuracyCurve(trace)),
    now: pointOfTimes(trace, THRESHOLD, latencies),
  });
}

const line = (text: string): string => `<p style="margin:0 0 4px">${escapeHtml(text)}</p>`;

/**
 * A frame of its own keeps the page's script and style from the notebook's. It lies over the still figure, which shows
 * where a viewer drops the frame, as JupyterLab does in notebooks that are not trusted.
 */
function framed(page: string, still: string | undefined, size: string): string {
  const quoted = page.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  return [
    line(
      `${size}. If nothing below can be moved, trust the notebook (command palette, "Trust Notebook") and run this cell again.`,
    ),
    `<div style="position:relative;height:${HEIGHT}px;max-width:1180px">`,
    picture(still),
    `<iframe title="Trace explorer" sandbox="allow-scripts" style="position:absolute;left:0;top:0;width:100%;height:100%;box-sizing:border-box;background:#fff;border:1px solid #dcdcdc;border-radius:8px" srcdoc="${quoted}"></iframe>`,
    `</div>`,
  ].join("\n");
}

const beside = (file: string, still: string | undefined, size: string): string =>
  [line(`${size}. To move and choose, open ${file} in a browser.`), picture(still)].join("\n");

const picture = (svg: string | undefined): string =>
  svg === undefined
    ? ""
    : `<img alt="Images by stopping time, and the speed-accuracy curve" src="data:image/svg+xml;base64,${Buffer.from(svg).toString("base64")}">`;

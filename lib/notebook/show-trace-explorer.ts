import { warnOnStandardError } from "../util/warn.js";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pagePicture } from "../figures/export.js";
import type { TracedImages } from "../figures/traced-image.js";
import { UserError } from "../util/errors.js";
import { type DisplayBundle, emitDisplay } from "./emit-display.js";
import { projectFolder } from "./project-folder.js";

/** Size of the page in pixels: it grows no wider, so that all of it is in sight at this height. */
const SIZE = { width: 1100, height: 520 };

/**
 * Shows a page below the cell on which single traces can be looked through: an image, its probabilities over time,
 * and where it stops at a threshold that can be moved. It reaches nothing outside itself. Call it with `await`.
 */
export async function showTraceExplorer(images: TracedImages): Promise<void> {
  const page = await traceExplorerPage(images);
  emitDisplay({
    "text/html": framed(page),
    ...(await picture(page)),
    "text/plain": `Trace explorer: ${images.examples.length} images of ${images.model}`,
  });
}

/** The explorer as one HTML document with its data inside. Throws a UserError where there is nothing to explore. */
export async function traceExplorerPage(images: TracedImages): Promise<string> {
  if (images.examples.length === 0) throw new UserError("the trace explorer was given no images");
  const template = await readFile(join(projectFolder(), "lib", "notebook", "trace-explorer.html"), "utf8");
  const data = JSON.stringify(images, (_, value: unknown) =>
    typeof value === "number" && !Number.isInteger(value) ? Number(value.toFixed(4)) : value,
  );
  // "<" would let a class name end the script element.
  const embedded = data.replaceAll("<", "\\u003c");
  return template.replace(
    /(<script type="application\/json" id="data">)[^<]*/,
    (_, tag: string) => tag + embedded,
  );
}

/** What the page shows at first, for viewers without HTML; nothing where no browser can be had. */
async function picture(page: string): Promise<DisplayBundle> {
  try {
    return { "image/png": await pagePicture(page, SIZE) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    warnOnStandardError(`no static form of the explorer: ${error.message}`);
    return {};
  }
}

/**
 * A frame of its own keeps the page's script and style from the notebook's. A viewer that drops the frame, as
 * JupyterLab does for notebooks that are not trusted, shows the sentence before it alone.
 */
function framed(page: string): string {
  const quoted = page.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  return [
    `<p style="margin:0 0 4px">Interactive: if nothing follows, trust the notebook (command palette, "Trust Notebook") and run this cell again.</p>`,
    `<iframe title="Trace explorer" sandbox="allow-scripts" style="width:100%;height:${SIZE.height}px;border:1px solid #dcdcdc;border-radius:8px" srcdoc="${quoted}"></iframe>`,
  ].join("\n");
}

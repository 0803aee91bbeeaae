import { NOTHING_OUTSIDE } from "./self-contained.js";
import { UserError } from "../util/errors.js";
import { writeFileAtomic } from "../util/files.js";
import { withBrowser } from "./browser.js";
import { embeddedFonts, figureSize, openIsolatedPage, renderSvg, type PixelSize } from "./draw.js";
import type { FigureLike } from "./figure.js";

export interface ExportOptions {
  /** Where the SVG goes, with its fonts inside. */
  readonly svg?: string;
  /** Where the PDF goes: one page of exactly the figure's size. */
  readonly pdf?: string;
  /** In millimetres; by default the figure's own. */
  readonly width?: number;
  readonly height?: number;
}

const PIXELS_PER_MM = 96 / 25.4;

/** Writes a figure as vector graphics; the same figure gives the same file. Throws a UserError without a browser. */
export async function exportFigure(figure: FigureLike, options: ExportOptions): Promise<void> {
  const size = exportSize(figure, options);
  const drawn = await renderSvg(figure, size);
  const svg = standalone(drawn, size, await embeddedFonts(drawn));
  if (options.svg !== undefined) await writeFileAtomic(options.svg, svg);
  if (options.pdf !== undefined) await writeFileAtomic(options.pdf, await printPdf(svg, size));
}

function exportSize(figure: FigureLike, { width, height }: ExportOptions): PixelSize {
  for (const [name, length] of Object.entries({ width, height }))
    if (length !== undefined && !(length >= 10 && length <= 2000))
      throw new UserError(`the ${name} of an exported figure is ${length} mm; it must be from 10 to 2000`);
  const own = figureSize(figure);
  return {
    width: width === undefined ? own.width : width * PIXELS_PER_MM,
    height: height === undefined ? own.height : height * PIXELS_PER_MM,
  };
}

/** The SVG with its size in millimetres and its fonts inside. */
function standalone(svg: string, { width, height }: PixelSize, fonts: string): string {
  const mm = (pixels: number): string => `${Number((pixels / PIXELS_PER_MM).toFixed(4))}mm`;
  return svg.replace(/^<svg[^>]*>/, (tag) => {
    const open = tag
      .replace(/ width="[^"]*"/, ` width="${mm(width)}"`)
      .replace(/ height="[^"]*"/, ` height="${mm(height)}"`);
    return `${open}<style>${fonts}</style>`;
  });
}

async function printPdf(svg: string, { width, height }: PixelSize): Promise<Uint8Array> {
  const page = `<!doctype html>${NOTHING_OUTSIDE}<style>@page{size:${width}px ${height}px;margin:0}html,body{margin:0}svg{display:block}</style>${svg}`;
  return printPage(page, { pageRanges: "1" });
}

/** An HTML page without outside references as PDF, of the size that its @page rule says. Throws a UserError without a browser. */
export async function printPage(
  html: string,
  { pageRanges = "" }: { readonly pageRanges?: string } = {},
): Promise<Uint8Array> {
  const pdf = await withBrowser(async (browser) => {
    const printed = await openIsolatedPage(browser);
    try {
      await printed.setContent(html);
      await printed.evaluate("document.fonts.ready.then(() => undefined)");
      return await printed.pdf({
        preferCSSPageSize: true,
        printBackground: true,
        tagged: false,
        pageRanges,
      });
    } finally {
      await printed.close();
    }
  });
  return withoutDates(pdf);
}

/** The printing time would make equal figures unequal files; a date of equal length keeps the file's offsets. */
function withoutDates(pdf: Uint8Array): Uint8Array {
  const text = Buffer.from(pdf).toString("latin1");
  const undated = text.replace(/\/(CreationDate|ModDate) \(D:\d{14}/g, "/$1 (D:20000101000000");
  return Buffer.from(undated, "latin1");
}

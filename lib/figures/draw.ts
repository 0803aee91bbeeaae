import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Browser, Page } from "puppeteer-core";
import subsetFont from "subset-font";
import { UserError } from "../util/errors.js";
import { sha256 } from "../util/files.js";
import { withBrowser } from "./browser.js";
import { unpackChromium } from "./chromium-package.js";
import { type FigureLike, plainFigure, type PlotlyFigure } from "./figure.js";
import { outsideReference, OWN_SCRIPT_ALONE } from "./self-contained.js";
import { millimetres, WIDTH } from "./style.js";
import { vectorForm } from "./vector-form.js";

/** Width and height of a drawing in CSS pixels (1/96 inch). */
export interface PixelSize {
  readonly width: number;
  readonly height: number;
}

/** The figure's own size, that of its still form where it has one, or a column of print where it has none. */
export function figureSize(figure: FigureLike): PixelSize {
  const { layout = {} } = figure.still ?? figure;
  const number = (value: unknown, otherwise: number): number =>
    typeof value === "number" ? value : otherwise;
  return { width: number(layout["width"], WIDTH.column), height: number(layout["height"], millimetres(56)) };
}

/** The one typeface that is on every machine, as it comes with the browser's package. */
const TYPEFACE = "Open Sans";
const FACES = [
  { file: "OpenSans-Regular.ttf", style: "normal", weight: 400, wanted: /(?:)/ },
  { file: "OpenSans-Bold.ttf", style: "normal", weight: 700, wanted: /font-weight: ?(?:bold|[6-9]00)/ },
  { file: "OpenSans-Italic.ttf", style: "italic", weight: 400, wanted: /font-style: ?italic/ },
] as const;

/** CSS that carries the faces of `TYPEFACE`, whole. */
async function wholeFonts(): Promise<string> {
  return (await Promise.all(FACES.map(async (face) => fontRule(face, await faceFile(face))))).join("\n");
}

/** CSS that carries the characters of `markup`, in the faces that it uses or in all of them. */
export async function embeddedFonts(markup: string, faces: "used" | "all" = "used"): Promise<string> {
  const characters = [...new Set(markup)].sort().join("");
  const rules = FACES.filter(({ wanted }) => faces === "all" || wanted.test(markup)).map(async (face) =>
    fontRule(face, await subsetFont(await faceFile(face), characters, { targetFormat: "truetype" })),
  );
  return (await Promise.all(rules)).join("\n");
}

type Face = (typeof FACES)[number];

async function faceFile({ file }: Face): Promise<Buffer> {
  return readFile(join((await unpackChromium()).fonts, file));
}

function fontRule({ style, weight }: Face, font: Buffer): string {
  return `@font-face{font-family:"${TYPEFACE}";font-style:${style};font-weight:${weight};src:url(data:font/ttf;base64,${font.toString("base64")}) format("truetype")}`;
}

/**
 * Runs in the page. Plotly names clip paths at random: drawn from the figure's hash instead, the names are the same
 * in every run and differ between figures, so that several fit into one page.
 */
const PAGE_SCRIPT = `
  async function drawFigure(figure, size, seed) {
    let state = seed;
    Math.random = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 4294967296;
    };
    await Promise.all(["400", "700", "italic 400"].map((face) => document.fonts.load(face + ' 10px "${TYPEFACE}"')));
    return Plotly.toImage(figure, { format: "svg", imageDataOnly: true, ...size });
  }
`;

let drawing: { readonly browser: Browser; readonly page: Promise<Page> } | undefined;

/** The page with Plotly, kept as long as its browser lives; it can reach nothing outside. */
async function drawingPage(browser: Browser): Promise<Page> {
  if (drawing?.browser !== browser) drawing = { browser, page: openDrawingPage(browser) };
  return drawing.page;
}

async function openDrawingPage(browser: Browser): Promise<Page> {
  const page = await openIsolatedPage(browser);
  await page.setContent(
    `<!doctype html>${OWN_SCRIPT_ALONE}<style>${await wholeFonts()}</style><body></body>`,
  );
  await page.addScriptTag({ path: createRequire(import.meta.url).resolve("plotly.js-dist-min") });
  await page.addScriptTag({ content: PAGE_SCRIPT });
  return page;
}

/** A blank page all of whose requests are refused. */
export async function openIsolatedPage(browser: Browser): Promise<Page> {
  const page = await browser.newPage();
  await page.setRequestInterception(true);
  page.on("request", (request) => {
    void (request.url().startsWith("data:") ? request.continue() : request.abort());
  });
  return page;
}

/**
 * The figure as an SVG text without outside references, its size in pixels; fonts are named, not embedded. Types that
 * draw with WebGL are drawn as their vector forms. Throws a UserError for a figure that cannot be drawn.
 */
export async function renderSvg(figure: FigureLike, size: PixelSize = figureSize(figure)): Promise<string> {
  const { data, layout } = vectorForm(plainFigure(figure.still ?? figure));
  const plain = JSON.stringify({ data, layout: withTypeface(layout) });
  const seed = parseInt(sha256(plain).slice(0, 8), 16);
  return withBrowser(async (browser) => {
    const page = await drawingPage(browser);
    const drawn = page.evaluate(`drawFigure(${plain}, ${JSON.stringify(size)}, ${seed})`);
    const svg = await drawn.catch((error: unknown) => {
      if (browser.connected && error instanceof Error)
        throw new UserError(`Plotly cannot draw this figure: ${error.message.split("\n")[0] ?? ""}`, {
          cause: error,
        });
      throw error;
    });
    const outside = outsideReference(String(svg));
    if (outside !== undefined)
      throw new UserError(
        `this figure would lead outside of itself: ${outside}; take that out of its data or layout`,
      );
    return String(svg);
  });
}

function withTypeface(layout: PlotlyFigure["layout"]): PlotlyFigure["layout"] {
  const font = typeof layout["font"] === "object" ? layout["font"] : {};
  return { ...layout, font: { ...font, family: `${TYPEFACE}, Arial, Helvetica, sans-serif` } };
}

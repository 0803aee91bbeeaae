import type { PlotlyObject } from "./figure.js";

/** CSS pixels (1/96 inch, as Plotly counts) of a length in millimetres of print. */
export const millimetres = (length: number): number => Math.round((length * 96) / 25.4);
/** CSS pixels of a font size or line width in points of print. */
export const points = (size: number): number => (size * 96) / 72;

/** Widths of one and of two columns of print, in pixels. */
export const WIDTH = { column: millimetres(84), double: millimetres(174) } as const;

/** The colours of Okabe and Ito (2008), told apart with every kind of colour vision. */
export const OKABE_ITO = {
  black: "#000000",
  orange: "#E69F00",
  skyBlue: "#56B4E9",
  green: "#009E73",
  yellow: "#F0E442",
  blue: "#0072B2",
  vermillion: "#D55E00",
  purple: "#CC79A7",
} as const;

export const INK = "#262626";
export const PALE = "#BDBDBD";
const GRID = "#EBEBEB";

/** From light to dark, for quantities with an order; readable in grey too. */
export const SEQUENTIAL_SCALE: readonly (readonly [number, string])[] = [
  [0, "#EAF2FA"],
  [0.5, "#5AA0D0"],
  [1, "#08406F"],
];

/** Of all figures of the project: a figure with it is laid out for print. */
const FONT_FAMILY = "Arial, Helvetica, Liberation Sans, Open Sans, sans-serif";
const TICK_FONT = points(7);
const TITLE_FONT = points(8);
/** What Plotly gives a row of a legend, and the symbol with its gaps in an entry. */
const LEGEND_ROW = 19;
const LEGEND_SYMBOL = 45;
const HAIRLINE = points(0.5);
export const LINE_WIDTH = points(0.9);
export const THIN_LINE_WIDTH = points(0.6);
export const MARKER_SIZE = 4.5;

/** How a model is drawn, in every figure. */
export interface ModelStyle {
  readonly color: string;
  /** "solid", or lengths of dash and gap. */
  readonly dash: string;
  readonly symbol: string;
}

const SERIAL_DASH = "5px,2px";

/** In the order of the legend: in its two columns cascaded models stand on the left, serial ones on the right. */
const MODEL_STYLES: ReadonlyMap<string, ModelStyle> = new Map<string, ModelStyle>([
  ["CascadedTD", { color: OKABE_ITO.blue, dash: "solid", symbol: "circle" }],
  ["SerialTD", { color: OKABE_ITO.vermillion, dash: SERIAL_DASH, symbol: "triangle-up" }],
  ["CascadedTD-MultiHead", { color: OKABE_ITO.skyBlue, dash: "solid", symbol: "square" }],
  ["SerialTD-MultiHead", { color: OKABE_ITO.orange, dash: SERIAL_DASH, symbol: "triangle-down" }],
  ["CascadedCE", { color: OKABE_ITO.green, dash: "solid", symbol: "diamond" }],
  ["SerialCE", { color: OKABE_ITO.purple, dash: SERIAL_DASH, symbol: "x" }],
]);

const OTHER_STYLES: readonly ModelStyle[] = [
  { color: OKABE_ITO.black, dash: "1.5px,2px", symbol: "circle-open" },
  { color: "#7F7F7F", dash: "5px,2px,1.5px,2px", symbol: "square-open" },
  { color: OKABE_ITO.black, dash: "5px,2px,1.5px,2px", symbol: "diamond-open" },
  { color: "#7F7F7F", dash: "1.5px,2px", symbol: "triangle-up-open" },
];

/**
 * The styles of the models of one figure, in the order of its legend: the six models as everywhere, also where an
 * architecture stands before their name and they do not themselves stand beside it ("DenseNet-CascadedTD"); any other in
 * black and grey in the order of its name.
 */
export function modelStyles(models: Iterable<string>): ReadonlyMap<string, ModelStyle> {
  const names = [...new Set(models)];
  const known = new Map(
    [...MODEL_STYLES].flatMap(([name, style]) => {
      const shown = names.includes(name) ? name : names.find((one) => one.endsWith(`-${name}`));
      return shown === undefined ? [] : [[shown, style] as const];
    }),
  );
  const others = names.filter((name) => !known.has(name)).sort();
  return new Map([
    ...known,
    ...others.map((name, i) => [name, OTHER_STYLES[i % OTHER_STYLES.length] as ModelStyle] as const),
  ]);
}

/** From the viridis map (van der Walt and Smith 2015), light to dark, without its end that is too light for a line. */
const ORDERED = ["#5EC962", "#21918C", "#3B528B", "#440154"] as const;

/** Colour i of n for an ordered parameter, from light to dark, in equal steps along `ORDERED`. */
export function orderedColor(i: number, n: number): string {
  const position = n < 2 ? ORDERED.length - 1 : (i / (n - 1)) * (ORDERED.length - 1);
  const left = Math.min(Math.floor(position), ORDERED.length - 2);
  const [from, to] = [ORDERED[left] as string, ORDERED[left + 1] as string];
  const channel = (start: number): string =>
    Math.round(hexByte(from, start) + (hexByte(to, start) - hexByte(from, start)) * (position - left))
      .toString(16)
      .padStart(2, "0");
  return `#${channel(1)}${channel(3)}${channel(5)}`;
}

const hexByte = (hex: string, start: number): number => parseInt(hex.slice(start, start + 2), 16);

/** The same colour, see-through: for bands behind lines. */
export function translucent(hex: string, opacity: number): string {
  return `rgba(${hexByte(hex, 1)},${hexByte(hex, 3)},${hexByte(hex, 5)},${opacity})`;
}

/** An axis: thin line, ticks outside, no zero line; `title` with its unit. */
export function axis(title: string, more: PlotlyObject = {}): PlotlyObject {
  return {
    title: { text: title, font: { size: TITLE_FONT }, standoff: 5 },
    automargin: true,
    ticklabeloverflow: "allow",
    showline: true,
    linewidth: HAIRLINE,
    linecolor: INK,
    ticks: "outside",
    ticklen: 3,
    tickwidth: HAIRLINE,
    tickcolor: INK,
    tickfont: { size: TICK_FONT },
    showgrid: false,
    gridcolor: GRID,
    gridwidth: HAIRLINE,
    zeroline: false,
    ...more,
  };
}

/** Whole timesteps from 0 to `last` with a little room on both sides; at most about ten ticks. */
export function timestepAxis(last: number, title = "Timestep"): PlotlyObject {
  const dtick = [1, 2, 5, 10, 20, 50].find((step) => last / step <= 10) ?? Math.ceil(last / 10);
  return axis(title, { range: [-0.03 * last - 0.1, 1.03 * last + 0.1], tick0: 0, dtick });
}

/** Share from 0 to 1, read in per cent. */
export function shareAxis(title: string, more: PlotlyObject = {}): PlotlyObject {
  return axis(title, { tickformat: ".0%", showgrid: true, rangemode: "tozero", ...more });
}

/** Longest name of which two stand beside each other in a legend as wide as a column. */
const LONGEST_OF_TWO = 21;

/** In how many columns a legend as wide as a column of print has room for these names. */
export const legendColumnsOf = (names: readonly string[]): number =>
  names.some(({ length }) => length > LONGEST_OF_TWO) ? 1 : 2;

export interface LayoutOptions {
  readonly width?: number;
  /** Height of the drawing without the legend, in pixels. */
  readonly height?: number;
  /** Entries of the legend, which stands above the drawing in rows of `legendColumns`. */
  readonly legendEntries?: number;
  readonly legendColumns?: number;
  readonly axes: PlotlyObject;
}

/** The theme of all figures; the legend stands above the axes, in space of its own, so it never covers data. */
export function layout(options: LayoutOptions): PlotlyObject {
  const {
    width = WIDTH.column,
    height = millimetres(56),
    legendEntries = 0,
    legendColumns = 2,
    axes,
  } = options;
  const legendHeight = legendEntries < 2 ? 0 : Math.ceil(legendEntries / legendColumns) * LEGEND_ROW;
  const margin = { l: 44, r: 14, t: 10 + legendHeight, b: 36, pad: 0 };
  return {
    width,
    height: height + legendHeight,
    margin,
    font: { family: FONT_FAMILY, size: TICK_FONT, color: INK },
    paper_bgcolor: "#FFFFFF",
    plot_bgcolor: "#FFFFFF",
    hovermode: "closest",
    showlegend: legendEntries >= 2,
    legend: {
      orientation: "h",
      x: -(margin.l - 4) / (width - margin.l - margin.r),
      xanchor: "left",
      y: 1,
      yanchor: "bottom",
      font: { size: TICK_FONT },
      entrywidth: Math.floor((width - margin.r) / legendColumns) - LEGEND_SYMBOL,
      entrywidthmode: "pixels",
      traceorder: "normal",
      bgcolor: "rgba(255,255,255,0)",
      tracegroupgap: 0,
    },
    ...axes,
  };
}

/** Whether a layout is that of a figure for print, so that its sizes are those of a page. */
export function isForPrint(layout: PlotlyObject): boolean {
  const { font } = layout;
  return typeof font === "object" && font !== null && "family" in font && font.family === FONT_FAMILY;
}

import { type ModelStyle, OKABE_ITO, orderedColor } from "./style.js";

const STYLES: readonly ModelStyle[] = [
  { color: OKABE_ITO.blue, dash: "solid", symbol: "circle" },
  { color: OKABE_ITO.green, dash: "6px,2px", symbol: "square" },
  { color: OKABE_ITO.orange, dash: "3px,2px", symbol: "diamond" },
  { color: OKABE_ITO.vermillion, dash: "6px,2px,1.5px,2px", symbol: "triangle-up" },
  { color: OKABE_ITO.skyBlue, dash: "solid", symbol: "triangle-down" },
  { color: OKABE_ITO.purple, dash: "6px,2px", symbol: "x" },
];

/** The look of line i of a figure whose lines are no models: settings of one model, say, in their order. */
export function seriesStyle(i: number): ModelStyle {
  return STYLES[i % STYLES.length] as ModelStyle;
}

const ORDERED_SYMBOLS = ["circle", "square", "diamond", "triangle-up", "triangle-down", "x"] as const;

/** The look of line i of n, for an ordered parameter: from light to dark. */
export function orderedStyle(i: number, n: number): ModelStyle {
  const symbol = ORDERED_SYMBOLS[i % ORDERED_SYMBOLS.length] as string;
  return { color: orderedColor(i, n), dash: "solid", symbol };
}

/** A dotted line that others are compared with. */
export const REFERENCE_STYLE: ModelStyle = {
  color: OKABE_ITO.black,
  dash: "1.5px,2px",
  symbol: "circle-open",
};

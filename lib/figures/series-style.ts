import { type ModelStyle, OKABE_ITO } from "./style.js";

const STYLES: readonly ModelStyle[] = [
  { color: OKABE_ITO.blue, dash: "solid", symbol: "circle" },
  { color: OKABE_ITO.green, dash: "6px,2px", symbol: "square" },
  { color: OKABE_ITO.orange, dash: "3px,2px", symbol: "diamond" },
  { color: OKABE_ITO.vermillion, dash: "6px,2px,1.5px,2px", symbol: "triangle-up" },
];

/** The look of line i of a figure whose lines are no models: settings of one model, say, in their order. */
export function seriesStyle(i: number): ModelStyle {
  return STYLES[i % STYLES.length] as ModelStyle;
}

/** A dotted line that others are compared with. */
export const REFERENCE_STYLE: ModelStyle = {
  color: OKABE_ITO.black,
  dash: "1.5px,2px",
  symbol: "circle-open",
};

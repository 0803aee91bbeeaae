import { type ModelStyle, OKABE_ITO } from "./style.js";

/** How a stopping rule is drawn, in every figure; the order is that of legends. */
export const RULE_STYLES: ReadonlyMap<string, ModelStyle> = new Map<string, ModelStyle>([
  ["gain (GRU)", { color: OKABE_ITO.vermillion, dash: "solid", symbol: "circle" }],
  ["right (GRU)", { color: OKABE_ITO.orange, dash: "solid", symbol: "triangle-down" }],
  ["confidence", { color: OKABE_ITO.blue, dash: "solid", symbol: "square" }],
  ["margin", { color: OKABE_ITO.skyBlue, dash: "6px,2px", symbol: "diamond" }],
  ["entropy", { color: OKABE_ITO.green, dash: "3px,2px", symbol: "triangle-up" }],
  ["patience", { color: OKABE_ITO.black, dash: "1.5px,2px", symbol: "x" }],
]);

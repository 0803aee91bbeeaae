import { type ModelStyle, OKABE_ITO } from "./style.js";

/** From Tol's muted scheme (2021), told apart with every kind of colour vision, and none of it a model's colour. */
const TOL = {
  wine: "#882255",
  rose: "#CC6677",
  indigo: "#332288",
  teal: "#44AA99",
  olive: "#999933",
} as const;

/** How a stopping rule is drawn, in every figure; the order is that of legends. */
export const RULE_STYLES: ReadonlyMap<string, ModelStyle> = new Map<string, ModelStyle>([
  ["gain (GRU)", { color: TOL.wine, dash: "solid", symbol: "circle" }],
  ["right (GRU)", { color: TOL.rose, dash: "solid", symbol: "triangle-down" }],
  ["confidence", { color: TOL.indigo, dash: "solid", symbol: "square" }],
  ["margin", { color: TOL.teal, dash: "6px,2px", symbol: "diamond" }],
  ["entropy", { color: TOL.olive, dash: "3px,2px", symbol: "triangle-up" }],
  ["patience", { color: OKABE_ITO.black, dash: "1.5px,2px", symbol: "x" }],
  ["deadline", { color: "#7F7F7F", dash: "5px,2px,1.5px,2px", symbol: "circle-open" }],
]);

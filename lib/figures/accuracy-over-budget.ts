import type { PlotlyFigure } from "./figure.js";
import { errorBand, type LinePoint, meanLine, modelLine } from "./model-line.js";
import { axis, layout, millimetres, type ModelStyle, OKABE_ITO, shareAxis, WIDTH } from "./style.js";
import { tableRows } from "./table-rows.js";
import { groupRows } from "../util/group-rows.js";
import type { TableLike } from "../util/table-cells.js";

const GREY = "#7F7F7F";
const DASH = "5px,2px";
const DOTS = "1.5px,2px";

/** Kinds of competitors by colour, members of a kind by dash: cascades blue and orange, multi-scale networks red, ResNets with exits green, separate ones black. */
const STYLES: ReadonlyMap<string, ModelStyle> = new Map<string, ModelStyle>([
  ["CascadedTD", { color: OKABE_ITO.blue, dash: "solid", symbol: "circle" }],
  ["SerialTD-MultiHead", { color: OKABE_ITO.orange, dash: DASH, symbol: "triangle-down" }],
  ["SDN", { color: OKABE_ITO.orange, dash: DOTS, symbol: "triangle-up" }],
  ["MSDNet", { color: OKABE_ITO.vermillion, dash: "solid", symbol: "square" }],
  ["MSDNet-Mixed", { color: OKABE_ITO.vermillion, dash: DASH, symbol: "square-open" }],
  ["BoostNet", { color: OKABE_ITO.vermillion, dash: DOTS, symbol: "diamond" }],
  ["SDN-ResNet", { color: OKABE_ITO.green, dash: "solid", symbol: "triangle-up" }],
  ["BranchyNet-ResNet", { color: OKABE_ITO.green, dash: DASH, symbol: "x" }],
  ["ZTW-ResNet", { color: OKABE_ITO.green, dash: DOTS, symbol: "diamond-open" }],
  ["ResNets by width", { color: OKABE_ITO.black, dash: "solid", symbol: "circle-open" }],
  ["ResNets by depth", { color: GREY, dash: DASH, symbol: "square-open" }],
]);
const OTHER: ModelStyle = { color: GREY, dash: DOTS, symbol: "circle-open" };

/**
 * Accuracy against what an answer costs, a staircase for each model, since an answer stands until the next is there: mean over
 * the rows (seeds) of equal model and timestep, in a band of one standard error. The last answer that a budget pays for counts, so
 * answers that a later one undercuts are left out. Table: model, timestep, accuracy, budget; `title` names the budget with its unit.
 */
export function accuracyOverBudgetFigure(table: TableLike, title: string): PlotlyFigure {
  const rows = tableRows("accuracy over budget", table, ["timestep", "accuracy", "budget"], ["model"]);
  const models = groupRows(rows, (row) => row.model);
  const lines = [...models].map(([model, own]) => ({
    model,
    style: STYLES.get(model) ?? OTHER,
    line: bought(
      meanLine(
        own,
        (row) => row.timestep,
        (row) => row.budget,
        (row) => row.accuracy,
      ),
    ),
  }));
  const farthest = Math.max(...rows.map((row) => row.budget));
  return {
    data: [
      ...lines.flatMap(({ model, style, line }) => errorBand(model, style, staircase(line))),
      ...lines.map(({ model, style, line }) => {
        const drawn = modelLine(model, style, line);
        return { ...drawn, line: { ...(drawn["line"] as object), shape: "hv" } };
      }),
    ],
    layout: layout({
      width: WIDTH.double,
      height: millimetres(80),
      legendEntries: lines.length,
      legendColumns: 4,
      axes: {
        xaxis: axis(title, { range: [-0.02 * farthest, 1.03 * farthest] }),
        yaxis: shareAxis("Accuracy"),
      },
    }),
  };
}

/** The answers that some budget buys: those that no later one undercuts, as a wider network of a family may a narrower one. */
function bought(line: readonly LinePoint[]): LinePoint[] {
  return line.filter(({ x }, i) => line.slice(i + 1).every((later) => x < later.x));
}

/** The line with its corners: each point stands until the next one's place. */
function staircase(line: readonly LinePoint[]): LinePoint[] {
  return line.flatMap((point, i) => {
    const before = line[i - 1];
    return before === undefined ? [point] : [{ ...before, x: point.x }, point];
  });
}

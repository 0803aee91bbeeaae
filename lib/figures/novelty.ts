import type { ColumnTable } from "arquero";
import type { PlotlyFigure, PlotlyObject } from "./figure.js";
import { axisNumber, panelDomain, panelTitle } from "./panels.js";
import { axis, INK, layout, MARKER_SIZE, millimetres, modelStyles, THIN_LINE_WIDTH, WIDTH } from "./style.js";
import { tableRows } from "./table-rows.js";
import { groupRows } from "../util/group-rows.js";

const GAP = 0.04;
const ROW_MM = 8;
/** Top of the axes: above stand the panels' titles. */
const TOP = 0.94;

/**
 * How well detectors tell out-of-distribution images, a panel for each set of these and a row for each detector: a dot
 * with its interval for each model and seed, from top to bottom. Detectors that learnt from such images are starred.
 * Table: model, seed, outOfDistribution, detector, reads, learntFrom, auroc, low, high.
 */
export function noveltyFigure(table: ColumnTable): PlotlyFigure {
  const rows = tableRows(
    "novelty",
    table,
    ["seed", "auroc", "low", "high"],
    ["model", "outOfDistribution", "detector", "reads", "learntFrom"],
  );
  const nameOf = (row: (typeof rows)[number]): string =>
    `${row.detector}, ${row.reads}${row.learntFrom === "in-distribution images" ? "" : " *"}`;
  const detectors = [...groupRows(rows, nameOf).keys()];
  const sets = groupRows(rows, (row) => row.outOfDistribution);
  const styles = [...modelStyles(groupRows(rows, (row) => row.model).keys())];
  const seeds = [...groupRows(rows, (row) => row.seed).keys()].sort((a, b) => a - b);
  const slots = styles.length * seeds.length;
  const ends = rows.flatMap(({ low, high }) => [low, high]).concat(0.5);
  const range = [Math.min(...ends) - 0.02, Math.max(...ends) + 0.02];
  const axes: Record<string, PlotlyObject> = {};
  const data = [...sets].flatMap(([outOfDistribution, members], i) => {
    const number = axisNumber(i);
    axes[`xaxis${number}`] = axis("AUROC, out- against in-distribution", {
      domain: panelDomain(i, sets.size, GAP),
      anchor: `y${number}`,
      showgrid: true,
      tickformat: ".1f",
      range,
    });
    axes[`yaxis${number}`] = axis("", {
      anchor: `x${number}`,
      domain: [0, TOP],
      range: [detectors.length - 0.5, -0.5],
      tickvals: [...detectors.keys()],
      ticktext: detectors,
      showticklabels: i === 0,
      ticks: "",
      showgrid: false,
    });
    return styles.map(([model, style], m) => {
      const own = members.filter((row) => row.model === model);
      const slot = (row: (typeof rows)[number]): number => m * seeds.length + seeds.indexOf(row.seed);
      return {
        type: "scatter",
        mode: "markers",
        name: model,
        legendgroup: model,
        showlegend: i === 0,
        x: own.map((row) => row.auroc),
        y: own.map((row) => detectors.indexOf(nameOf(row)) + (0.7 * (slot(row) - (slots - 1) / 2)) / slots),
        text: own.map((row) => `${outOfDistribution}, seed ${row.seed}`),
        error_x: {
          type: "data",
          symmetric: false,
          array: own.map((row) => row.high - row.auroc),
          arrayminus: own.map((row) => row.auroc - row.low),
          color: style.color,
          thickness: THIN_LINE_WIDTH,
          width: 0,
        },
        marker: { color: style.color, symbol: style.symbol, size: MARKER_SIZE },
        xaxis: `x${number}`,
        yaxis: `y${number}`,
      };
    });
  });
  const shapes = [...sets.keys()].map((_, i) => ({
    type: "line",
    xref: `x${axisNumber(i)}`,
    yref: `y${axisNumber(i)} domain`,
    x0: 0.5,
    x1: 0.5,
    y0: 0,
    y1: 1,
    line: { color: INK, width: THIN_LINE_WIDTH, dash: "2px,2px" },
  }));
  const base = layout({
    width: WIDTH.double,
    height: millimetres(24 + ROW_MM * detectors.length),
    legendEntries: styles.length,
    axes: {
      ...axes,
      shapes,
      annotations: [...sets.keys()].map((outOfDistribution, i) =>
        panelTitle(outOfDistribution, panelDomain(i, sets.size, GAP), TOP),
      ),
    },
  });
  return { data, layout: base };
}

import type { PlotlyFigure, PlotlyObject } from "./figure.js";
import { axisNumber, panelDomain, panelTitle } from "./panels.js";
import {
  axis,
  INK,
  layout,
  MARKER_SIZE,
  millimetres,
  type ModelStyle,
  modelStyles,
  THIN_LINE_WIDTH,
  WIDTH,
} from "./style.js";
import { tableRows } from "./table-rows.js";
import { groupRows } from "../util/group-rows.js";
import type { TableLike } from "../util/table-cells.js";

const GAP = 0.04;
const ROW_MM = 8;
/** Top of the axes: above stand the panels' titles, in one line or in two. */
const TOP = 0.94;
const TOP_OF_NARROW = 0.9;
/** From so many panels on they are narrower than a title in one line. */
const NARROW = 3;

/**
 * How well detectors tell out-of-distribution images from in-distribution ones (AUROC), a panel for each set of these and a row for each detector: a dot
 * with its interval for each model and seed, from top to bottom. Detectors that learnt from such images are starred.
 * Table: model, seed, outOfDistribution, detector, reads, learntFrom, auroc, low, high.
 */
export function noveltyFigure(table: TableLike): PlotlyFigure {
  const rows = tableRows(
    "novelty",
    table,
    ["seed", "auroc", "low", "high"],
    ["model", "outOfDistribution", "detector", "reads", "learntFrom"],
  );
  const detectors = [...groupRows(rows, nameOf).keys()];
  const sets = [...groupRows(rows, (row) => row.outOfDistribution)];
  const styles = [...modelStyles(groupRows(rows, (row) => row.model).keys())];
  const seeds = [...groupRows(rows, (row) => row.seed).keys()].sort((a, b) => a - b);
  /** Where a dot stands: its detector's row, and in it models and seeds from top to bottom. */
  const heightOf = (row: Row, model: number): number => {
    const slots = styles.length * seeds.length;
    const slot = model * seeds.length + seeds.indexOf(row.seed);
    return detectors.indexOf(nameOf(row)) + (0.7 * (slot - (slots - 1) / 2)) / slots;
  };
  const data = sets.flatMap(([, members], i) =>
    styles.map(([model, style], m) => {
      const own = members.filter((row) => row.model === model);
      return {
        ...dots(
          style,
          own,
          own.map((row) => heightOf(row, m)),
        ),
        name: model,
        legendgroup: model,
        showlegend: i === 0,
        xaxis: `x${axisNumber(i)}`,
        yaxis: `y${axisNumber(i)}`,
      };
    }),
  );
  const ends = rows.flatMap(({ low, high }) => [low, high]).concat(0.5);
  const range = [Math.min(...ends) - 0.02, Math.max(...ends) + 0.02];
  const isNarrow = sets.length >= NARROW;
  const top = isNarrow ? TOP_OF_NARROW : TOP;
  const domains = sets.map((_, i) => panelDomain(i, sets.length, GAP));
  const base = layout({
    width: WIDTH.double,
    height: millimetres(24 + ROW_MM * detectors.length),
    legendEntries: styles.length,
    axes: {
      ...Object.fromEntries(domains.flatMap((domain, i) => axesOf(i, domain, range, detectors, top))),
      shapes: sets.map((_, i) => chanceLine(i)),
      annotations: sets.map(([name], i) =>
        panelTitle(isNarrow ? name.replace(" ", "<br>") : name, domains[i] as [number, number], top),
      ),
    },
  });
  return { data, layout: base };
}

interface Row {
  readonly outOfDistribution: string;
  readonly detector: string;
  readonly reads: string;
  readonly learntFrom: string;
  readonly seed: number;
  readonly auroc: number;
  readonly low: number;
  readonly high: number;
}

function nameOf({ detector, reads, learntFrom }: Row): string {
  return `${detector}, ${reads}${learntFrom === "in-distribution images" ? "" : " *"}`;
}

/** AUROCs with their intervals. */
function dots({ color, symbol }: ModelStyle, rows: readonly Row[], heights: readonly number[]): PlotlyObject {
  return {
    type: "scatter",
    mode: "markers",
    x: rows.map(({ auroc }) => auroc),
    y: heights,
    text: rows.map(({ outOfDistribution, seed }) => `${outOfDistribution}, seed ${seed}`),
    error_x: {
      type: "data",
      symmetric: false,
      array: rows.map(({ high, auroc }) => high - auroc),
      arrayminus: rows.map(({ low, auroc }) => auroc - low),
      color,
      thickness: THIN_LINE_WIDTH,
      width: 0,
    },
    marker: { color, symbol, size: MARKER_SIZE },
  };
}

/** The axes of panel i; the detectors' names stand at the first. */
function axesOf(
  i: number,
  domain: readonly [number, number],
  range: readonly number[],
  detectors: readonly string[],
  top: number,
): [string, PlotlyObject][] {
  const number = axisNumber(i);
  return [
    [
      `xaxis${number}`,
      axis("AUROC", {
        domain,
        anchor: `y${number}`,
        showgrid: true,
        tickformat: ".1f",
        range,
      }),
    ],
    [
      `yaxis${number}`,
      axis("", {
        anchor: `x${number}`,
        domain: [0, top],
        range: [detectors.length - 0.5, -0.5],
        tickvals: [...detectors.keys()],
        ticktext: detectors,
        showticklabels: i === 0,
        ticks: "",
        showgrid: false,
      }),
    ],
  ];
}

/** 0.5: what a detector that knows nothing has. */
function chanceLine(i: number): PlotlyObject {
  return {
    type: "line",
    xref: `x${axisNumber(i)}`,
    yref: `y${axisNumber(i)} domain`,
    x0: 0.5,
    x1: 0.5,
    y0: 0,
    y1: 1,
    line: { color: INK, width: THIN_LINE_WIDTH, dash: "2px,2px" },
  };
}

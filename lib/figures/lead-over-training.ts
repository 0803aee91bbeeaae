import { groupRows } from "../util/group-rows.js";
import type { TableLike } from "../util/table-cells.js";
import type { PlotlyFigure, PlotlyObject } from "./figure.js";
import { type LinePoint, meanLine, modelLine } from "./model-line.js";
import { axisNumber, panelDomain, panelTitle } from "./panels.js";
import { orderedStyle, REFERENCE_STYLE } from "./series-style.js";
import { axis, INK, layout, millimetres, type ModelStyle, THIN_LINE_WIDTH, WIDTH } from "./style.js";
import { finiteOrNull, tableRows } from "./table-rows.js";

/** What a publication has of a comparison. */
export interface PublishedLead {
  readonly comparison: string;
  readonly epochs: number;
  /** In points. */
  readonly lead: number;
}

const GAP = 0.08;
/** By how much networks trained equally long stand apart, in decades of epochs. */
const APART = 0.03;
/** Top of the axes: above stand the panels' titles. */
const TOP = 0.92;

/**
 * By how much one model is ahead of another, against how long both were trained: a panel for each comparison, a line for each
 * network in the order in which they come, a little apart from the others, the mean over the rows of equal network and
 * epochs (seeds) with bars of one standard error; and what is published. Table: comparison, network, epochs, lead (in points).
 */
export function leadOverTrainingFigure(
  table: TableLike,
  { published, title }: { readonly published: readonly PublishedLead[]; readonly title: string },
): PlotlyFigure {
  const rows = tableRows("lead over training", table, ["epochs", "lead"], ["comparison", "network"]);
  const comparisons = [...groupRows(rows, (row) => row.comparison).keys()];
  const networks = [...groupRows(rows, (row) => row.network).keys()];
  const epochs = [...new Set([...rows, ...published].map((one) => one.epochs))].sort((a, b) => a - b);
  const axes: Record<string, PlotlyObject> = {};
  const data = comparisons.flatMap((comparison, panel) => {
    const number = axisNumber(panel);
    axes[`xaxis${number}`] = epochAxis(epochs, {
      domain: panelDomain(panel, comparisons.length, GAP),
      anchor: `y${number}`,
    });
    axes[`yaxis${number}`] = axis(panel === 0 ? title : "", {
      domain: [0, TOP],
      anchor: `x${number}`,
      showgrid: true,
      rangemode: "tozero",
      zeroline: true,
      zerolinecolor: INK,
      zerolinewidth: THIN_LINE_WIDTH,
    });
    const own = rows.filter((row) => row.comparison === comparison);
    const lines = networks.flatMap((name, i) => {
      const style = orderedStyle(i, networks.length);
      const line = meanLine(
        own.filter(({ network }) => network === name),
        (row) => row.epochs,
        (row) => row.epochs * 10 ** (APART * (i - (networks.length - 1) / 2)),
        (row) => row.lead,
      );
      return [{ ...modelLine(name, style, line), error_y: errorBars(style, line) }];
    });
    const paper = published.filter((one) => one.comparison === comparison);
    const points = paper.map((one) => ({ x: one.epochs, y: one.lead, standardError: NaN }));
    const reference = points.length === 0 ? [] : [modelLine("paper, width 1", REFERENCE_STYLE, points)];
    return [...lines, ...reference].map((trace) => ({
      ...trace,
      ...(panel > 0 && { showlegend: false }),
      ...{ xaxis: `x${number}`, yaxis: `y${number}` },
    }));
  });
  const titles = comparisons.map((comparison, panel) =>
    panelTitle(
      `<b>${"abcdefgh".charAt(panel)}</b>  ${comparison}`,
      panelDomain(panel, comparisons.length, GAP),
      TOP,
    ),
  );
  return {
    data,
    layout: layout({
      width: WIDTH.double,
      height: millimetres(62),
      legendEntries: networks.length + (published.length === 0 ? 0 : 1),
      legendColumns: 4,
      axes: { ...axes, annotations: titles },
    }),
  };
}

/** Of one standard error. */
function errorBars({ color }: ModelStyle, line: readonly LinePoint[]): PlotlyObject {
  const array = line.map(({ standardError }) => finiteOrNull(standardError));
  return { type: "data", array, color, thickness: THIN_LINE_WIDTH, width: 2 };
}

/** Epochs by their logarithm, each that somebody trained for written out. */
function epochAxis(epochs: readonly number[], more: PlotlyObject): PlotlyObject {
  const ends = [Math.min(...epochs), Math.max(...epochs)].map(Math.log10) as [number, number];
  return axis("Epochs", {
    type: "log",
    range: [ends[0] - 0.08, ends[1] + 0.08],
    tickmode: "array",
    tickvals: epochs,
    ticktext: epochs.map(String),
    ...more,
  });
}

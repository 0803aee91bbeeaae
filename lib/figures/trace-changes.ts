import { classAxis } from "./class-axis.js";
import { colorBar } from "./color-bar.js";
import { type PlotlyFigure, type PlotlyObject, plotText } from "./figure.js";
import { panelTitle } from "./panels.js";
import { axis, INK, layout, LINE_WIDTH, millimetres, OKABE_ITO, timestepAxis, WIDTH } from "./style.js";
import { tableRows } from "./table-rows.js";
import type { TableLike } from "../util/table-cells.js";

/** What `traceChangesFigure` draws: tables of `traceChanges` and `traceChangesByClass`, and names. */
export interface DrawnChanges {
  readonly changes: TableLike;
  readonly byClass: TableLike;
  readonly classNames: readonly string[];
  /** Names of the two that are compared; "the second" and "the first" unless told. */
  readonly first?: string;
  readonly second?: string;
}

/** From the first's colour through white to the second's. */
const DIVERGING_SCALE: readonly (readonly [number, string])[] = [
  [0, OKABE_ITO.vermillion],
  [0.5, "#FFFFFF"],
  [1, OKABE_ITO.blue],
];
const LEFT = [0, 0.42] as const;
const RIGHT = [0.6, 0.9] as const;
/** Top of the panels: above stand their titles. */
const TOP = 0.93;
/** A timestep whose p-value (McNemar, uncorrected) is below it has a filled mark. */
const LEVEL = 0.05;

/**
 * What changed between two runs, at each timestep: on the left the images that the second alone has right, upwards,
 * those that the first alone has right, downwards, and their difference as a line, filled marks where McNemar's exact
 * test is below 5 %; on the right the difference in accuracy of each class. All in points of accuracy.
 */
export function traceChangesFigure(drawn: DrawnChanges): PlotlyFigure {
  const { first = "the first", second = "the second" } = drawn;
  const columns = ["timestep", "examples", "wrongToRight", "rightToWrong", "difference", "pValue"] as const;
  const rows = tableRows("trace changes", drawn.changes, columns);
  const last = Math.max(...rows.map(({ timestep }) => timestep));
  const x = rows.map(({ timestep }) => timestep);
  const bars = (name: string, shares: readonly number[], color: string): PlotlyObject => ({
    type: "bar",
    name,
    x,
    y: shares.map((share) => 100 * share),
    marker: { color },
    hovertemplate: "t = %{x}: %{y:+.1f} points<extra></extra>",
  });
  const pale = { second: "#9CC5E0", first: "#F0B68D" };
  return {
    data: [
      bars(
        `${plotText(second)} alone right`,
        rows.map((row) => row.wrongToRight / row.examples),
        pale.second,
      ),
      bars(
        `${plotText(first)} alone right`,
        rows.map((row) => (0 - row.rightToWrong) / row.examples),
        pale.first,
      ),
      {
        type: "scatter",
        mode: "lines+markers",
        name: `difference (filled: p < ${LEVEL})`,
        x,
        y: rows.map(({ difference }) => 100 * difference),
        line: { color: INK, width: LINE_WIDTH },
        marker: {
          size: 6,
          color: rows.map(({ pValue }) => (pValue < LEVEL ? INK : "#FFFFFF")),
          line: { color: INK, width: LINE_WIDTH },
        },
        customdata: rows.map(({ pValue }) => pValue),
        hovertemplate: "t = %{x}: %{y:+.2f} points, p = %{customdata:.2g}<extra></extra>",
      },
      classMap(drawn, last),
    ],
    layout: {
      ...layout({
        width: WIDTH.double,
        height: millimetres(78),
        legendEntries: 3,
        legendColumns: 3,
        axes: axesOf(drawn, last),
      }),
      barmode: "relative",
    },
  };
}

function axesOf({ classNames, first = "the first", second = "the second" }: DrawnChanges, last: number) {
  return {
    xaxis: { ...timestepAxis(last), domain: LEFT, range: [-0.6, last + 0.6] },
    yaxis: axis("Points of accuracy", {
      domain: [0, TOP],
      showgrid: true,
      zeroline: true,
      zerolinecolor: INK,
      zerolinewidth: 1,
    }),
    xaxis2: { ...timestepAxis(last), domain: RIGHT, range: [-0.5, last + 0.5], anchor: "y2" },
    yaxis2: classAxis("", classNames, { anchor: "x2", domain: [0, TOP], autorange: "reversed" }),
    annotations: [
      panelTitle("all images", LEFT, TOP),
      panelTitle(`${plotText(second)} less ${plotText(first)}, by class`, RIGHT, TOP),
    ],
  };
}

/** Rows are classes, columns timesteps, on a scale with white at 0. */
function classMap({ byClass, classNames }: DrawnChanges, last: number): PlotlyObject {
  const rows = tableRows("trace changes", byClass, ["timestep", "label", "difference"]);
  const z = classNames.map(() => Array<number | null>(last + 1).fill(null));
  for (const { timestep, label, difference } of rows) {
    const own = z[label];
    if (own !== undefined) own[timestep] = Number((100 * difference).toFixed(3));
  }
  const largest = Math.max(1, ...z.flat().map((value) => Math.abs(value ?? 0)));
  return {
    type: "heatmap",
    z,
    xaxis: "x2",
    yaxis: "y2",
    zmin: -largest,
    zmax: largest,
    colorscale: DIVERGING_SCALE,
    xgap: 0.5,
    ygap: 0.5,
    hovertemplate: "%{y}, t = %{x}: %{z:+.1f} points<extra></extra>",
    colorbar: colorBar("Points", {
      ...{ len: TOP, y: 0, yanchor: "bottom" },
      ...{ x: RIGHT[1] + 0.02, xanchor: "left", nticks: 6 },
    }),
  };
}

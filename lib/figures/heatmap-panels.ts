import { colorBar } from "./color-bar.js";
import type { PlotlyFigure, PlotlyObject } from "./figure.js";
import { axisNumber, panelTitle } from "./panels.js";
import { axis, layout, millimetres, SEQUENTIAL_SCALE, WIDTH } from "./style.js";

/** A heat map with its title; rows by columns, null where a cell stays blank. */
export interface HeatmapPanel {
  readonly title: string;
  readonly values: readonly (readonly (number | null)[])[];
}

export interface HeatmapPanelsOptions {
  readonly columns: string;
  readonly rows: string;
  /** Names of the columns, where they are not numbers. */
  readonly columnNames?: readonly string[];
  /** Number of the first row; columns count from 0. */
  readonly firstRow: number;
  /** "down" as a matrix is written, "up" as blocks are stacked. */
  readonly rowsGo: "down" | "up";
  /** Title of the colour bar. */
  readonly quantity: string;
}

const GAP = 0.04;

/** Heat maps side by side with equal axes and one colour bar from 0 to the largest value of all. */
export function heatmapPanels(panels: readonly HeatmapPanel[], options: HeatmapPanelsOptions): PlotlyFigure {
  const wide = panels.length > 2;
  const barWidth = wide ? 0.08 : 0.13;
  const panelWidth = (1 - barWidth - GAP * (panels.length - 1)) / panels.length;
  const domainOf = (i: number): [number, number] => {
    const start = i * (panelWidth + GAP);
    return [start, start + panelWidth];
  };
  const largest = Math.max(...panels.flatMap(({ values }) => values.flat().map((value) => value ?? 0)));
  const data = panels.map(({ title, values }, i) => ({
    type: "heatmap",
    name: title,
    x: options.columnNames ?? Array.from({ length: columnsOf(values) }, (_, column) => column),
    y: values.map((_, row) => options.firstRow + row),
    z: values.map((row) => [...row]),
    xaxis: `x${axisNumber(i)}`,
    yaxis: `y${axisNumber(i)}`,
    zmin: 0,
    zmax: largest,
    colorscale: SEQUENTIAL_SCALE,
    xgap: 0.5,
    ygap: 0.5,
    showscale: i === 0,
    colorbar: colorBar(options.quantity, {
      ...{ x: 1 - barWidth + 0.02, xanchor: "left" },
      ...{ xpad: 0, ypad: 0, nticks: 4 },
    }),
  }));
  const axes = panels.flatMap(({ values }, i) => axesOf(i, values, domainOf(i), wide ? 9 : 5, options));
  const annotations = panels.map(({ title }, i) => panelTitle(title, domainOf(i), 1.01));
  const base = layout({
    width: wide ? WIDTH.double : WIDTH.column,
    height: millimetres(56),
    axes: { ...Object.fromEntries(axes), annotations },
  });
  return { data, layout: { ...base, margin: { l: 40, r: 4, t: 20, b: 36 } } };
}

const columnsOf = (values: HeatmapPanel["values"]): number => values[0]?.length ?? 0;

/** The axes of panel i, with at most so many ticks across. */
function axesOf(
  i: number,
  values: HeatmapPanel["values"],
  domain: readonly [number, number],
  ticks: number,
  { columns, rows, columnNames, firstRow, rowsGo }: HeatmapPanelsOptions,
): [string, PlotlyObject][] {
  const number = axisNumber(i);
  const rowRange = [firstRow - 0.5, firstRow - 0.5 + values.length];
  return [
    [
      `xaxis${number}`,
      axis(columns, {
        domain,
        anchor: `y${number}`,
        range: [-0.5, columnsOf(values) - 0.5],
        ...columnTicks(columnsOf(values), ticks, columnNames),
      }),
    ],
    [
      `yaxis${number}`,
      axis(i === 0 ? rows : "", {
        anchor: `x${number}`,
        range: rowsGo === "down" ? rowRange.reverse() : rowRange,
        tick0: firstRow,
        dtick: Math.ceil(values.length / 9),
        showticklabels: i === 0,
      }),
    ],
  ];
}

/** At most so many ticks; the last name, which may stand for something else than a number, is always among them. */
function columnTicks(columns: number, most: number, names?: readonly string[]): PlotlyObject {
  const every = Math.ceil(columns / most);
  if (names === undefined) return { tick0: 0, dtick: every };
  const tickvals = names.filter((_, column) => column + 1 === columns || column % every === 0);
  return { type: "category", tickvals, tickangle: 0 };
}

import type { PlotlyFigure, PlotlyObject } from "./figure.js";
import { axis, INK, layout, millimetres, points, SEQUENTIAL_SCALE, WIDTH } from "./style.js";

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
  const width = wide ? WIDTH.double : WIDTH.column;
  const colorBar = wide ? 0.08 : 0.13;
  const panelWidth = (1 - colorBar - GAP * (panels.length - 1)) / panels.length;
  const largest = Math.max(...panels.flatMap(({ values }) => values.flat().map((value) => value ?? 0)));
  const axes: Record<string, PlotlyObject> = {};
  const titles: PlotlyObject[] = [];
  const data = panels.map(({ title, values }, i) => {
    const number = i === 0 ? "" : String(i + 1);
    const start = i * (panelWidth + GAP);
    const columns = values[0]?.length ?? 0;
    const firstRow = options.firstRow - 0.5;
    const rowRange = [firstRow, firstRow + values.length];
    axes[`xaxis${number}`] = axis(options.columns, {
      domain: [start, start + panelWidth],
      anchor: `y${number}`,
      range: [-0.5, columns - 0.5],
      ...columnTicks(columns, wide ? 9 : 5, options.columnNames),
    });
    axes[`yaxis${number}`] = axis(i === 0 ? options.rows : "", {
      anchor: `x${number}`,
      range: options.rowsGo === "down" ? rowRange.reverse() : rowRange,
      tick0: options.firstRow,
      dtick: Math.ceil(values.length / 9),
      showticklabels: i === 0,
    });
    titles.push({
      text: title,
      font: { size: points(8), color: INK },
      xref: "paper",
      x: start + panelWidth / 2,
      xanchor: "center",
      yref: "paper",
      y: 1.01,
      yanchor: "bottom",
      showarrow: false,
    });
    return {
      type: "heatmap",
      name: title,
      x: options.columnNames ?? Array.from({ length: columns }, (_, column) => column),
      y: values.map((_, row) => options.firstRow + row),
      z: values.map((row) => [...row]),
      xaxis: `x${number}`,
      yaxis: `y${number}`,
      zmin: 0,
      zmax: largest,
      colorscale: SEQUENTIAL_SCALE,
      xgap: 0.5,
      ygap: 0.5,
      showscale: i === 0,
      colorbar: {
        title: { text: options.quantity, side: "right", font: { size: points(8) } },
        thickness: 8,
        outlinewidth: 0,
        len: 1,
        x: 1 - colorBar + 0.02,
        xanchor: "left",
        xpad: 0,
        ypad: 0,
        tickfont: { size: points(7) },
        ticks: "outside",
        ticklen: 2,
        nticks: 4,
      },
    };
  });
  const base = layout({ width, height: millimetres(56), axes: { ...axes, annotations: titles } });
  return { data, layout: { ...base, margin: { l: 40, r: 4, t: 20, b: 36 } } };
}

/** At most so many ticks; the last name, which may stand for something else than a number, is always among them. */
function columnTicks(columns: number, most: number, names?: readonly string[]): PlotlyObject {
  const every = Math.ceil(columns / most);
  if (names === undefined) return { tick0: 0, dtick: every };
  const tickvals = names.filter((_, column) => column + 1 === columns || column % every === 0);
  return { type: "category", tickvals, tickangle: 0 };
}

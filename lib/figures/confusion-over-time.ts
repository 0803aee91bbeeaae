import { groupRows } from "../util/group-rows.js";
import { classAxis } from "./class-axis.js";
import { colorBar } from "./color-bar.js";
import type { PlotlyFigure, PlotlyObject } from "./figure.js";
import { axisNumber, panelDomain, panelTitle } from "./panels.js";
import { INK, layout, millimetres, points, SEQUENTIAL_SCALE, WIDTH } from "./style.js";
import { tableRows } from "./table-rows.js";
import type { TableLike } from "../util/table-cells.js";

interface Pair {
  readonly label: number;
  readonly answer: number;
  readonly images: number;
  readonly share: number;
}

/** The confusion matrix of one timestep. */
interface Matrix {
  readonly timestep: number;
  /** [K][K] share of the images of the row's class that are answered with the column's. */
  readonly share: readonly (readonly number[])[];
  /** [K][K] how many those are. */
  readonly images: readonly (readonly number[])[];
  readonly accuracy: number;
}

/** More classes than this leave no room for numbers in the cells. */
const MOST_NUMBERS = 12;
const PANELS = { across: 5, most: 10, gap: { x: 0.025, y: 0.16 } };

/**
 * Confusion over time: which class (row) is taken for which (column), as the share of the row's images, at the
 * timestep that a slider chooses, the last one at first; in still form a panel each for at most ten timesteps, evenly
 * spaced. Table: timestep, label, answer, images, share (`confusionTable`); pairs that are missing are 0.
 */
export function confusionOverTimeFigure(table: TableLike, classNames: readonly string[]): PlotlyFigure {
  const matrices = matricesOf(table, classNames.length);
  return { ...moving(matrices, classNames), still: still(matrices, classNames) };
}

function matricesOf(table: TableLike, classes: number): Matrix[] {
  const rows = tableRows("confusion over time", table, ["timestep", "label", "answer", "images", "share"]);
  const groups = [...groupRows(rows, ({ timestep }) => timestep)].sort(([a], [b]) => a - b);
  return groups.map(([timestep, own]) => matrixOf(timestep, own, classes));
}

function matrixOf(timestep: number, pairs: readonly Pair[], classes: number): Matrix {
  const filled = (value: (pair: Pair) => number): number[][] => {
    const cells = Array.from({ length: classes }, () => Array<number>(classes).fill(0));
    for (const pair of pairs) {
      const row = cells[pair.label];
      if (row !== undefined) row[pair.answer] = value(pair);
    }
    return cells;
  };
  const sum = (own: readonly Pair[]): number => own.reduce((total, { images }) => total + images, 0);
  return {
    timestep,
    share: filled(({ share }) => Number(share.toFixed(4))),
    images: filled(({ images }) => images),
    accuracy: sum(pairs.filter(({ label, answer }) => label === answer)) / sum(pairs),
  };
}

const titleOf = ({ timestep, accuracy }: Matrix): string =>
  `t = ${timestep}: ${(100 * accuracy).toFixed(1)} % right`;

function heatmap({ share, images }: Matrix, more: PlotlyObject): PlotlyObject {
  return {
    type: "heatmap",
    z: share,
    customdata: images,
    hovertemplate: "%{y} taken for %{x}<br>%{z:.1%}, %{customdata} images<extra></extra>",
    zmin: 0,
    zmax: 1,
    colorscale: SEQUENTIAL_SCALE,
    xgap: 0.5,
    ygap: 0.5,
    ...more,
  };
}

const COLOR_BAR = colorBar("Share of the class's images", { tickformat: ".0%", nticks: 6 });

function moving(matrices: readonly Matrix[], names: readonly string[]): PlotlyFigure {
  const numbers = (share: Matrix["share"]): string[][] =>
    share.map((row) => row.map((value) => (value < 0.005 ? "" : (100 * value).toFixed(0))));
  const data = matrices.map((matrix, i) => ({
    ...heatmap(matrix, { visible: i === matrices.length - 1, colorbar: COLOR_BAR }),
    ...(names.length <= MOST_NUMBERS && {
      text: numbers(matrix.share),
      texttemplate: "%{text}",
      textfont: { size: points(7) },
    }),
  }));
  const steps = matrices.map((matrix, i) => ({
    label: String(matrix.timestep),
    method: "update",
    args: [{ visible: matrices.map((_, j) => i === j) }, { "annotations[0].text": titleOf(matrix) }],
  }));
  const last = matrices.at(-1) as Matrix;
  const base = layout({
    width: WIDTH.double,
    height: millimetres(150),
    axes: {
      xaxis: classAxis("Answer", names, { tickangle: -35, constrain: "domain" }),
      yaxis: classAxis("Label", names, { autorange: "reversed", scaleanchor: "x", constrain: "domain" }),
      annotations: [{ ...panelTitle(titleOf(last), [0, 1], 1.005) }],
      sliders: [
        {
          active: matrices.length - 1,
          currentvalue: { prefix: "Timestep ", font: { size: points(8), color: INK } },
          font: { size: points(7) },
          pad: { t: 62 },
          steps,
        },
      ],
    },
  });
  return { data, layout: { ...base, margin: { l: 60, r: 14, t: 24, b: 20 } } };
}

function still(matrices: readonly Matrix[], names: readonly string[]): PlotlyFigure {
  const shown = evenly(matrices, PANELS.most);
  const across = Math.min(PANELS.across, shown.length);
  const down = Math.ceil(shown.length / across);
  const axes: Record<string, PlotlyObject> = {};
  const annotations: PlotlyObject[] = [];
  const data = shown.map((matrix, i) => {
    const [row, column] = [Math.floor(i / across), i % across];
    const [x, y] = [
      panelDomain(column, across, PANELS.gap.x),
      panelDomain(down - 1 - row, down, PANELS.gap.y),
    ];
    const own = axisNumber(i);
    const small = { tickfont: { size: points(5.5) } };
    const isLow = i + across >= shown.length;
    axes[`xaxis${own}`] = classAxis(isLow ? "Answer" : "", names, {
      ...small,
      domain: x,
      anchor: `y${own}`,
      tickangle: -90,
      showticklabels: isLow,
    });
    axes[`yaxis${own}`] = classAxis(column === 0 ? "Label" : "", names, {
      ...small,
      domain: y,
      anchor: `x${own}`,
      autorange: "reversed",
      showticklabels: column === 0,
    });
    annotations.push({ ...panelTitle(titleOf(matrix), x, y[1]), font: { size: points(7), color: INK } });
    return heatmap(matrix, {
      xaxis: `x${own}`,
      yaxis: `y${own}`,
      showscale: i === 0,
      colorbar: COLOR_BAR,
    });
  });
  const base = layout({
    width: WIDTH.double,
    height: millimetres(20 + 36 * down),
    axes: { ...axes, annotations },
  });
  return { data, layout: { ...base, margin: { l: 44, r: 10, t: 22, b: 40 } } };
}

/** At most so many of the values, evenly spaced, the first and the last among them. */
function evenly<Value>(values: readonly Value[], most: number): Value[] {
  if (values.length <= most) return [...values];
  return Array.from(
    { length: most },
    (_, i) => values[Math.round((i * (values.length - 1)) / (most - 1))] as Value,
  );
}

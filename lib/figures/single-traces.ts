import { plotText } from "./figure.js";
import type { PlotlyFigure, PlotlyObject } from "./figure.js";
import { axisNumber, panelDomain, panelTitle } from "./panels.js";
import { RULE_STYLES } from "./rule-style.js";
import {
  axis,
  INK,
  layout,
  LINE_WIDTH,
  MARKER_SIZE,
  millimetres,
  PALE,
  points,
  shareAxis,
  THIN_LINE_WIDTH,
  timestepAxis,
  WIDTH,
} from "./style.js";
import type { TracedImage } from "./traced-image.js";

export type TraceKind = "early and right" | "late and right" | "wrong";

/** One image's trace, why it is shown, and where each stopping rule stops on it. */
export interface SingleTrace extends TracedImage {
  readonly kind: TraceKind;
  readonly stops: readonly { readonly rule: string; readonly timestep: number }[];
}

const COLUMNS: readonly TraceKind[] = ["early and right", "late and right", "wrong"];
const GAP = { x: 0.06, y: 0.16 };
/** Height of a panel's image above its axes, and of the strip of stopping times below it, as shares of the panel. */
const IMAGE = 0.32;
const STRIP = 0.29;
/** Top of the panels: above stand their titles. */
const TOP = 0.965;

/**
 * Single traces, a column for each kind: the image, the probability of every class over time (the label's black, the
 * others grey, the most probable of them named), and below on a strip the timestep at which each rule stops.
 */
export function singleTracesFigure(
  traces: readonly SingleTrace[],
  classNames: readonly string[],
): PlotlyFigure {
  const rowsOfKind = COLUMNS.map((kind) => traces.filter((trace) => trace.kind === kind));
  const rows = Math.max(1, ...rowsOfKind.map((own) => own.length));
  const axes: Record<string, PlotlyObject> = {};
  const images: PlotlyObject[] = [];
  const annotations: PlotlyObject[] = COLUMNS.map((kind, column) =>
    panelTitle(
      `stopped ${kind}`.replace("stopped wrong", "wrong"),
      panelDomain(column, COLUMNS.length, GAP.x),
      TOP,
    ),
  );
  const data: PlotlyObject[] = [];
  rowsOfKind.forEach((own, column) => {
    own.forEach((trace, row) => {
      const number = column * rows + row;
      const panel = panelOf(column, rows - 1 - row, rows);
      const [main, strip] = [axisNumber(2 * number), axisNumber(2 * number + 1)];
      const isLeft = column === 0;
      const isLow = row === own.length - 1;
      Object.assign(axes, panelAxes(panel, trace, main, strip, isLeft, isLow));
      images.push(imageOf(trace, panel));
      annotations.push(captionOf(trace, classNames, panel));
      data.push(
        ...classLines(trace, classNames, { xaxis: `x${main}`, yaxis: `y${main}` }, number === 0),
        ...stopMarks(trace, { xaxis: `x${strip}`, yaxis: `y${strip}` }, number === 0),
      );
    });
  });
  const base = layout({
    width: WIDTH.double,
    height: millimetres(8 + 62 * rows),
    legendEntries: 2 + RULE_STYLES.size,
    legendColumns: 4,
    axes: { ...axes, images, annotations },
  });
  return { data, layout: base };
}

interface Panel {
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
}

function panelOf(column: number, rowFromBelow: number, rows: number): Panel {
  const [foot, top] = panelDomain(rowFromBelow, rows, GAP.y / rows);
  return { x: panelDomain(column, COLUMNS.length, GAP.x), y: [TOP * foot, TOP * top] };
}

/** A place within a panel's height, from 0 at its foot to 1. */
function heightIn({ y: [foot, top] }: Panel, share: number): number {
  return foot + share * (top - foot);
}

function panelAxes(
  panel: Panel,
  { probs }: SingleTrace,
  main: string,
  strip: string,
  isLeft: boolean,
  isLow: boolean,
): Record<string, PlotlyObject> {
  const time = timestepAxis(probs.length - 1, isLow ? "Timestep" : "");
  return {
    [`xaxis${main}`]: {
      ...time,
      title: { text: "" },
      domain: panel.x,
      anchor: `y${main}`,
      showticklabels: false,
    },
    [`yaxis${main}`]: shareAxis(isLeft ? "Probability" : "", {
      domain: [heightIn(panel, STRIP + 0.03), heightIn(panel, 1 - IMAGE - 0.02)],
      anchor: `x${main}`,
      range: [-0.03, 1.05],
      dtick: 0.5,
      showticklabels: isLeft,
    }),
    [`xaxis${strip}`]: { ...time, domain: panel.x, anchor: `y${strip}` },
    [`yaxis${strip}`]: axis("", {
      domain: [panel.y[0], heightIn(panel, STRIP)],
      anchor: `x${strip}`,
      range: [RULE_STYLES.size - 0.4, -0.6],
      tickvals: [...RULE_STYLES.keys()].map((_, i) => i),
      ticktext: [...RULE_STYLES.keys()],
      showticklabels: isLeft,
      ticks: "",
      tickfont: { size: points(5.5) },
      showgrid: true,
    }),
  };
}

function imageOf({ image }: SingleTrace, panel: Panel): PlotlyObject {
  return {
    source: image,
    xref: "paper",
    yref: "paper",
    x: panel.x[0],
    y: panel.y[1],
    sizex: panel.x[1] - panel.x[0],
    sizey: IMAGE * (panel.y[1] - panel.y[0]),
    xanchor: "left",
    yanchor: "top",
    sizing: "contain",
  };
}

/** Beside the image: what it is, and what the network says at the end. */
function captionOf({ label, probs }: SingleTrace, classNames: readonly string[], panel: Panel): PlotlyObject {
  const last = probs.at(-1) ?? [];
  const answer = last.indexOf(Math.max(...last));
  return {
    text: `label: <b>${plotText(classNames[label] ?? "")}</b><br>at the end: ${plotText(classNames[answer] ?? "")}`,
    align: "left",
    font: { size: points(7), color: INK },
    xref: "paper",
    yref: "paper",
    x: (panel.x[0] + panel.x[1]) / 2,
    y: heightIn(panel, 1 - IMAGE / 2),
    xanchor: "left",
    yanchor: "middle",
    showarrow: false,
  };
}

function classLines(
  { probs, label }: SingleTrace,
  classNames: readonly string[],
  axes: PlotlyObject,
  showlegend: boolean,
): PlotlyObject[] {
  const others = classNames.map((_, k) => k).filter((k) => k !== label);
  const line = (k: number, name: string, color: string, width: number, inLegend: boolean): PlotlyObject => ({
    type: "scatter",
    mode: "lines",
    name,
    legendgroup: name,
    showlegend: inLegend,
    text: plotText(classNames[k] ?? ""),
    x: probs.map((_, t) => t),
    y: probs.map((row) => row[k] ?? null),
    line: { color, width },
    ...axes,
  });
  return [
    ...others.map((k, i) => line(k, "other class", PALE, THIN_LINE_WIDTH, showlegend && i === 0)),
    line(label, "label", INK, 1.5 * LINE_WIDTH, showlegend),
  ];
}

function stopMarks({ stops }: SingleTrace, axes: PlotlyObject, showlegend: boolean): PlotlyObject[] {
  return [...RULE_STYLES].flatMap(([rule, { color, symbol }], row) => {
    const stop = stops.find((one) => one.rule === rule);
    if (stop === undefined) return [];
    return [
      {
        type: "scatter",
        mode: "markers",
        name: rule,
        legendgroup: rule,
        showlegend,
        x: [stop.timestep],
        y: [row],
        marker: { color, symbol, size: 1.2 * MARKER_SIZE },
        ...axes,
      },
    ];
  });
}

import type { PlotlyFigure, PlotlyObject } from "./figure.js";
import { panelDomain } from "./panels.js";
import {
  axis,
  INK,
  layout,
  LINE_WIDTH,
  millimetres,
  orderedColor,
  points,
  shareAxis,
  WIDTH,
} from "./style.js";

/** What was recorded of a training's steps, first to last. */
export interface RecordedStep {
  readonly step: number;
  readonly loss: number;
  /** [T] share of the batch that is right at each timestep. */
  readonly accuracy: readonly number[];
}

/** Points of a curve at most: of more, equal numbers of neighbours become their mean. */
const MOST_POINTS = 150;

/**
 * A training at work: loss at the left, at the right the accuracy of the batch at each timestep (from pale to dark),
 * over all of its `total` steps, so that the room at the right is what is still to come. `title` stands above.
 */
export function trainingProgressFigure(
  steps: readonly RecordedStep[],
  { total, title }: { readonly total: number; readonly title: string },
): PlotlyFigure {
  const means = thinned(steps);
  const timesteps = means[0]?.accuracy.length ?? 0;
  const line = (name: string, color: string, y: (one: RecordedStep) => number, axes: PlotlyObject) => ({
    type: "scatter",
    mode: "lines",
    name,
    x: means.map(({ step }) => step),
    y: means.map(y),
    line: { color, width: LINE_WIDTH },
    ...axes,
  });
  const right = { xaxis: "x2", yaxis: "y2" };
  const accuracies = Array.from({ length: timesteps }, (_, t) =>
    line(`t = ${t}`, orderedColor(t, timesteps), ({ accuracy }) => accuracy[t] ?? 0, right),
  );
  const over = { range: [0, total] };
  const [first, second] = [panelDomain(0, 2, 0.12), panelDomain(1, 2, 0.12)];
  return {
    data: [line("loss", INK, ({ loss }) => loss, {}), ...accuracies],
    layout: {
      ...layout({
        width: WIDTH.double,
        height: millimetres(52),
        axes: {
          xaxis: axis("Step", { ...over, domain: first }),
          yaxis: axis("Loss", { rangemode: "tozero", showgrid: true }),
          xaxis2: axis("Step", { ...over, domain: second, anchor: "y2" }),
          yaxis2: shareAxis("Accuracy of the batch", { range: [0, 1], anchor: "x2" }),
        },
      }),
      margin: { l: 44, r: 14, t: 26, b: 36, pad: 0 },
      title: {
        text: title,
        x: 0,
        xref: "paper",
        xanchor: "left",
        yref: "container",
        y: 0.97,
        yanchor: "top",
        font: { size: points(8) },
      },
    },
  };
}

function thinned(steps: readonly RecordedStep[]): RecordedStep[] {
  const together = Math.ceil(steps.length / MOST_POINTS);
  return Array.from({ length: Math.ceil(steps.length / (together || 1)) }, (_, i) =>
    meanStep(steps.slice(i * together, (i + 1) * together)),
  );
}

function meanStep(steps: readonly RecordedStep[]): RecordedStep {
  const mean = (of: (one: RecordedStep) => number): number =>
    steps.reduce((sum, one) => sum + of(one), 0) / steps.length;
  const accuracy = (steps[0]?.accuracy ?? []).map((_, t) => mean((one) => one.accuracy[t] ?? 0));
  return { step: mean(({ step }) => step), loss: mean(({ loss }) => loss), accuracy };
}

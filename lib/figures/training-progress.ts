import { INK, LINE_WIDTH, orderedColor, PALE } from "./style.js";

/** What was recorded of a training's steps, first to last. */
export interface RecordedStep {
  readonly step: number;
  readonly loss: number;
  /** [T] share of the batch that is right at each timestep. */
  readonly accuracy: readonly number[];
}

/** Points of a curve at most: of more, equal numbers of neighbours become their mean. */
const MOST_POINTS = 150;
/** Of a panel, in pixels, with room at its left for numbers and below for the steps. */
const PANEL = { width: 290, height: 140, left: 44, top: 22, below: 34 };

/**
 * A training at work as SVG text: loss at the left, at the right the accuracy of the batch at each timestep (from pale
 * to dark), over all of its `total` steps, so that the room at the right is what is still to come. Plain SVG, for
 * JupyterLab draws a Plotly figure once and does not draw it again when it is replaced.
 */
export function trainingProgressSvg(steps: readonly RecordedStep[], total: number): string {
  const means = thinned(steps);
  const timesteps = means[0]?.accuracy.length ?? 0;
  const highest = Math.max(...means.map(({ loss }) => loss), 0) || 1;
  const curve = (of: (one: RecordedStep) => number): Curve => means.map((one) => [one.step / total, of(one)]);
  const accuracies = Array.from({ length: timesteps }, (_, t) =>
    line(
      curve(({ accuracy }) => accuracy[t] ?? 0),
      orderedColor(t, timesteps),
    ),
  );
  const loss = line(
    curve((one) => one.loss / highest),
    INK,
  );
  const { width, height, left, top, below } = PANEL;
  const size = { width: 2 * (left + width) + 30, height: top + height + below };
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}" font-family="Arial, sans-serif" font-size="11" fill="${INK}" role="img" aria-label="Loss and accuracies of a training">` +
    panel(0, "Loss", total, (share) => (share * highest).toPrecision(2), [loss]) +
    panel(left + width + 8, "Accuracy of the batch", total, (share) => `${100 * share} %`, accuracies) +
    "</svg>"
  );
}

/** Points of a curve, both ways from 0 to 1. */
type Curve = readonly (readonly [number, number])[];

function line(curve: Curve, color: string): string {
  const points = curve.map(
    ([x, y]) => `${(x * PANEL.width).toFixed(1)},${((1 - y) * PANEL.height).toFixed(1)}`,
  );
  return `<polyline points="${points.join(" ")}" fill="none" stroke="${color}" stroke-width="${LINE_WIDTH.toFixed(2)}"/>`;
}

/** Axes with their numbers, and curves in them. */
function panel(
  from: number,
  title: string,
  total: number,
  tick: (share: number) => string,
  curves: readonly string[],
): string {
  const { width, height, left, top } = PANEL;
  const text = (x: number, y: number, anchor: string, words: string): string =>
    `<text x="${x}" y="${y}" text-anchor="${anchor}">${words}</text>`;
  const across = [0, 0.5, 1].map((share) => {
    const y = (1 - share) * height;
    return `<path d="M0 ${y}H${width}" stroke="${PALE}" stroke-width="0.5"/>${text(-6, y + 4, "end", tick(share))}`;
  });
  const steps = [0, 0.5, 1].map((share) =>
    text(share * width, height + 15, "middle", String(Math.round(share * total))),
  );
  const titles = text(0, -8, "start", title) + text(width / 2, height + 30, "middle", "Step");
  return `<g transform="translate(${from + left} ${top})">${titles}${[...across, ...steps, ...curves].join("")}</g>`;
}

function thinned(steps: readonly RecordedStep[]): RecordedStep[] {
  const together = Math.max(1, Math.ceil(steps.length / MOST_POINTS));
  return Array.from({ length: Math.ceil(steps.length / together) }, (_, i) =>
    meanStep(steps.slice(i * together, (i + 1) * together)),
  );
}

function meanStep(steps: readonly RecordedStep[]): RecordedStep {
  const mean = (of: (one: RecordedStep) => number): number =>
    steps.reduce((sum, one) => sum + of(one), 0) / steps.length;
  const accuracy = (steps[0]?.accuracy ?? []).map((_, t) => mean((one) => one.accuracy[t] ?? 0));
  return { step: mean(({ step }) => step), loss: mean(({ loss }) => loss), accuracy };
}

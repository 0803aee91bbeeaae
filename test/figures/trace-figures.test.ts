import assert from "node:assert/strict";
import { test } from "node:test";
import { from } from "arquero";
import { aurocOverTimeFigure } from "../../lib/figures/auroc-over-time.js";
import type { PlotlyFigure } from "../../lib/figures/figure.js";
import { noveltyFigure } from "../../lib/figures/novelty.js";
import { type SingleTrace, singleTracesFigure } from "../../lib/figures/single-traces.js";
import { stoppingRulesFigure } from "../../lib/figures/stopping-rules.js";
import { WIDTH } from "../../lib/figures/style.js";
import { assertSnapshot } from "./snapshot.js";

interface Drawn {
  readonly name: string;
  readonly mode: string;
  readonly x: (number | null)[];
  readonly y: (number | null)[];
  readonly xaxis?: string;
  readonly line?: { readonly dash: string; readonly color: string };
  readonly marker?: { readonly color: string; readonly symbol: string };
  readonly error_x?: { readonly array: number[]; readonly arrayminus: number[] };
}
const drawn = ({ data }: PlotlyFigure): Drawn[] => data as unknown as Drawn[];
const linesCalled = (figure: PlotlyFigure, name: string): Drawn[] =>
  drawn(figure).filter((one) => one.name === name && one.mode === "lines+markers");

const MODELS = ["CascadedTD", "SerialTD-MultiHead"];
const near = (values: readonly (number | null)[], expected: readonly number[]): void => {
  assert.equal(values.length, expected.length);
  values.forEach((value, i) => {
    assert.ok(Math.abs((value as number) - (expected[i] as number)) < 1e-9);
  });
};

const stopping = MODELS.flatMap((model) =>
  ["confidence", "gain (GRU)", "patience"].flatMap((rule) =>
    [0, 1].flatMap((seed) =>
      [0, 1, 2].map((meanStoppingTime) => ({
        model,
        rule,
        seed,
        meanStoppingTime,
        accuracy: 0.2 * meanStoppingTime + 0.02 * seed,
        lead: rule === "confidence" ? 0 : 0.01 * meanStoppingTime + 0.02 * seed,
      })),
    ),
  ),
);

test("stopping rules: a panel of accuracies and one of leads in points for each model, means over seeds", () => {
  const figure = stoppingRulesFigure(from(stopping));
  assertSnapshot("stopping-rules", figure);
  const lines = linesCalled(figure, "gain (GRU)");
  assert.deepEqual(
    lines.map(({ xaxis }) => xaxis),
    ["x", "x2", "x3", "x4"],
  );
  near(lines[0]?.y ?? [], [0.01, 0.21, 0.41]);
  near(lines[1]?.y ?? [], [1, 2, 3]);
  near(linesCalled(figure, "confidence")[1]?.y ?? [], [0, 0, 0]);
});

test("AUROC over time: GRU filled and solid, confidence open and dotted, in the model's colour", () => {
  const rows = MODELS.flatMap((model) =>
    ["GRU", "confidence"].flatMap((signal) =>
      [0, 1].flatMap((timestep) =>
        [0, 1].map((seed) => ({
          ...{ model, signal, timestep, seed },
          auroc: signal === "GRU" ? 0.8 + 0.1 * seed : 0.7 + 0.1 * seed,
        })),
      ),
    ),
  );
  const figure = aurocOverTimeFigure(from(rows));
  assertSnapshot("auroc-over-time", figure);
  const [gru, confidence, lead] = linesCalled(figure, "CascadedTD");
  near(gru?.y ?? [], [0.85, 0.85]);
  near(confidence?.y ?? [], [0.75, 0.75]);
  near(lead?.y ?? [], [0.1, 0.1]);
  const bands = drawn(figure).filter(({ name }) => name === "CascadedTD ± standard error");
  // Seeds 0.1 apart have an error, the differences of each from itself none.
  near(bands[0]?.y ?? [], [0.9, 0.9, 0.8, 0.8]);
  near(bands[2]?.y ?? [], [0.1, 0.1, 0.1, 0.1]);
  assert.equal(gru?.line?.color, confidence?.line?.color);
  assert.deepEqual([gru?.marker?.symbol, confidence?.marker?.symbol], ["circle", "circle-open"]);
  assert.notEqual(gru?.line?.dash, confidence?.line?.dash);
});

test("novelty: a dot with its interval for each model, detector and seed, none on another", () => {
  const rows = ["held-out classes", "procedural images"].flatMap((outOfDistribution) =>
    MODELS.flatMap((model) =>
      ["in-distribution images", "in- and out-of-distribution images"].flatMap((learntFrom) =>
        [0, 1, 2].map((seed) => ({
          ...{ outOfDistribution, model, seed, detector: "GRU", reads: "whole trace", learntFrom },
          ...{ auroc: 0.6 + 0.1 * seed, low: 0.55 + 0.1 * seed, high: 0.7 + 0.1 * seed },
        })),
      ),
    ),
  );
  const figure = noveltyFigure(from(rows));
  assertSnapshot("novelty", figure);
  const { ticktext } = figure.layout["yaxis"] as { ticktext: string[] };
  assert.deepEqual(ticktext, ["GRU, whole trace", "GRU, whole trace *"]);
  const dots = drawn(figure).filter(({ xaxis }) => xaxis === "x");
  near(dots[0]?.x ?? [], [0.6, 0.7, 0.8, 0.6, 0.7, 0.8]);
  near(dots[0]?.error_x?.array ?? [], Array<number>(6).fill(0.1));
  near(dots[0]?.error_x?.arrayminus ?? [], Array<number>(6).fill(0.05));
  const heights = dots.flatMap(({ y }) => y as number[]);
  assert.equal(new Set(heights).size, 12);
  // Each dot stands nearest to its own detector.
  assert.deepEqual(
    dots.map(({ y }) => y.map((height) => Math.abs(Math.round(height as number)))),
    MODELS.map(() => [0, 0, 0, 1, 1, 1]),
  );
});

test("single traces: the label's line black, every rule's stop at its timestep, an image a panel", () => {
  const trace = (kind: SingleTrace["kind"], id: number): SingleTrace => ({
    ...{ id, kind, label: 1, image: "data:image/png;base64,", signals: [] },
    probs: [
      [0.5, 0.3, 0.2],
      [0.2, 0.7, 0.1],
    ],
    stops: [
      { rule: "confidence", timestep: 1 },
      { rule: "patience", timestep: 0 },
    ],
  });
  const figure = singleTracesFigure(
    [trace("wrong", 1), trace("early and right", 2), trace("wrong", 3)],
    ["cat", "dog", "deer"],
  );
  assert.equal(figure.layout["width"], WIDTH.double);
  assert.equal((figure.layout["images"] as unknown[]).length, 3);
  const labels = drawn(figure).filter(({ name }) => name === "label");
  labels.forEach(({ y }) => {
    near(y, [0.3, 0.7]);
  });
  assert.equal(labels.length, 3);
  const stops = drawn(figure).filter(({ name }) => name === "confidence");
  assert.deepEqual(
    stops.map(({ x }) => x),
    [[1], [1], [1]],
  );
  assertSnapshot("single-traces", figure);
});

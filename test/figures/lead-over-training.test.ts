import { test } from "node:test";
import { leadOverTrainingFigure } from "../../lib/figures/lead-over-training.js";
import { assertSnapshot } from "./snapshot.js";

const COMPARISONS = ["one over another", "one over a third"];

test("leads over training: a panel a comparison, a line a network, the publication beside them", () => {
  const rows = COMPARISONS.flatMap((comparison, i) =>
    [
      [0.125, 5],
      [0.25, 2],
      [0.25, 5],
    ].flatMap(([width = 0, epochs = 0]) =>
      [0, 1].map((seed) => ({
        comparison,
        network: `width ${width}`,
        epochs,
        lead: i + epochs / 4 + width + seed,
      })),
    ),
  );
  const published = COMPARISONS.map((comparison, i) => ({ comparison, epochs: 150, lead: 10 * i }));
  assertSnapshot("lead-over-training", leadOverTrainingFigure(rows, { published, title: "Lead (points)" }));
});

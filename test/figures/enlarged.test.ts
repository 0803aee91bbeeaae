import assert from "node:assert/strict";
import { after, test } from "node:test";
import { table } from "arquero";
import { closeBrowser } from "../../lib/figures/browser.js";
import { costFigure } from "../../lib/figures/cost.js";
import { renderSvg } from "../../lib/figures/draw.js";
import { enlarged } from "../../lib/figures/enlarged.js";
import { plainFigure, type PlotlyFigure } from "../../lib/figures/figure.js";
import { speedAccuracyFigure } from "../../lib/figures/speed-accuracy.js";
import { isForPrint } from "../../lib/figures/style.js";

after(closeBrowser);

const cost = plainFigure(
  costFigure(table({ timestep: [0, 1], computedOnce: [2e6, 3e6], repeated: [1e6, 0] })),
);
const curves = plainFigure(
  speedAccuracyFigure(
    table({
      model: ["CascadedTD", "CascadedTD", "SerialTD", "SerialTD"],
      threshold: [0, 1, 0, 1],
      meanStoppingTime: [0, 8, 1, 7],
      accuracy: [0.1, 0.9, 0.2, 0.8],
    }),
  ),
);

test("what is counted in pixels grows, whatever else is said stays", () => {
  const figure: PlotlyFigure = {
    data: [
      {
        type: "bar",
        width: 0.8,
        x: [1, 2],
        marker: { size: [4, 6], line: { width: 1 } },
        line: { dash: "5px,2.5px" },
        error_y: { array: [1], thickness: 1 },
      },
      { line: { dash: "solid" } },
    ],
    layout: {
      width: 300,
      margin: { l: 40, t: 10 },
      xaxis: { range: [0, 8], dtick: 1, ticklen: 3 },
      title: { text: "width" },
    },
  };
  assert.deepEqual(enlarged(figure, 2), {
    data: [
      {
        type: "bar",
        width: 0.8,
        x: [1, 2],
        marker: { size: [8, 12], line: { width: 2 } },
        line: { dash: "10px,5px" },
        error_y: { array: [1], thickness: 2 },
      },
      { line: { dash: "solid" } },
    ],
    layout: {
      width: 600,
      margin: { l: 80, t: 20 },
      xaxis: { range: [0, 8], dtick: 1, ticklen: 6 },
      title: { text: "width" },
    },
  });
});

/** Width and height of the drawing between the axes, in pixels. */
function plotSize(svg: string): readonly [number, number] {
  const [, width, height] =
    /<clipPath [^>]*class="plotclip"[^>]*><rect width="([\d.]+)" height="([\d.]+)"/.exec(svg) ?? [];
  return [Number(width), Number(height)];
}

test("an enlarged figure is the same drawing, larger", async () => {
  for (const figure of [cost, curves]) {
    assert.ok(isForPrint(figure.layout));
    const [width, height] = plotSize(await renderSvg(figure));
    const [wider, higher] = plotSize(await renderSvg(enlarged(figure, 1.4)));
    assert.ok(Math.abs(wider / width - 1.4) < 0.03, `${wider} against ${width}`);
    // Of a legend's rows Plotly enlarges the letters, not the gaps.
    assert.ok(Math.abs(higher / height - 1.4) < 0.15, `${higher} against ${height}`);
  }
});

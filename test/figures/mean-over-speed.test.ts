import assert from "node:assert/strict";
import { test } from "node:test";
import { meanOverSpeed } from "../../lib/figures/mean-over-speed.js";
import { errorBand, type LinePoint } from "../../lib/figures/model-line.js";
import { modelStyles } from "../../lib/figures/style.js";

interface Row {
  readonly seed: number;
  readonly x: number;
  readonly y: number;
}
const line = (rows: readonly Row[], range: number): LinePoint[] =>
  meanOverSpeed(
    rows,
    ({ seed }) => seed,
    ({ x, y }) => ({ x, y }),
    range,
  );
const straight = (seed: number, from: number, to: number, accuracy: (x: number) => number): Row[] =>
  Array.from({ length: 21 }, (_, i) => {
    const x = from + ((to - from) * i) / 20;
    return { seed, x, y: accuracy(x) };
  });

test("curves of equal speed are averaged at equal speed, however their thresholds place them", () => {
  // The same straight line, run through at different speeds: at equal threshold the mean would be of different speeds.
  const rows = [...straight(0, 0, 8, (x) => x / 10), ...straight(1, 1, 6, (x) => x / 10 + 0.1)];
  const points = line(rows, 8);
  assert.deepEqual(
    [points[0]?.x, points.at(-1)?.x],
    [1, 8],
    "from where both have answered to where the slower ends",
  );
  for (const { x, y, standardError } of points) {
    const held = Math.min(x, 6) / 10 + 0.1;
    assert.ok(Math.abs(y - (x / 10 + held) / 2) < 1e-12, `at ${x}`);
    assert.ok(Math.abs(standardError - Math.abs(held - x / 10) / 2) < 1e-12);
  }
});

test("a single curve keeps its own points; where no level leads there is a gap, in line and band", () => {
  const jumping = [0, 1].flatMap((seed) =>
    [0, 0.5, 1, 7, 7.5, 8].map((x) => ({ seed, x, y: x < 4 ? 0.1 : 0.8 + seed / 10 })),
  );
  const own = line(jumping.slice(0, 6), 8);
  assert.deepEqual(
    own.map(({ x, y }) => [x, y]),
    [0, 0.5, 1, 4, 7, 7.5, 8].map((x) => [x, x === 4 ? NaN : x < 4 ? 0.1 : 0.8]),
  );
  const both = line(jumping, 8);
  for (const { x, y } of both) assert.equal(Number.isNaN(y), x > 1 && x < 7, `at ${x}`);
  const style = [...modelStyles(["CascadedTD"]).values()][0];
  assert.ok(style);
  const [band] = errorBand("CascadedTD", style, both);
  const outlines = JSON.stringify(band?.["x"]).split("null");
  assert.equal(outlines.length, 2, "two outlines that do not touch");
  assert.ok((JSON.parse(outlines[1]?.replace(",", "[") ?? "") as number[]).every((x) => x >= 7));
});

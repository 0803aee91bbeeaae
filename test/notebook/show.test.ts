import assert from "node:assert/strict";
import { table } from "arquero";
import { createRequire } from "node:module";
import { after, beforeEach, test } from "node:test";
import { join } from "node:path";
import { listRuns } from "../../lib/experiments/runs/run-record.js";
import { closeBrowser } from "../../lib/figures/browser.js";
import { figureLayout } from "../../lib/figures/figure-layout.js";
import { show } from "../../lib/notebook/show.js";
import { userError } from "../user-error.js";

interface Shown {
  readonly data: Readonly<Record<string, unknown>>;
}

const jupyter = createRequire(import.meta.url)("tslab/dist/jupyter.js") as { lastWriteDisplayData: unknown };
let shown: Shown[] = [];
beforeEach(() => {
  shown = [];
  jupyter.lastWriteDisplayData = (content: Shown) => void shown.push(content);
});
after(closeBrowser);

const textOf = (i: number): string => String(shown[i]?.data["text/plain"]);

test("rows, arquero tables and data frames are shown as tables", async () => {
  await show([{ a: 1, b: "x" }]);
  await show(table({ a: [1], b: ["x"] }));
  await show({ columns: ["a", "b"], values: [[1, "x"]], index: [0] });
  assert.deepEqual([0, 1, 2].map(textOf), Array(3).fill("a  b\n1  x"));
});

test("a figure needs no layout, and has a form without scripts", async () => {
  await show({ data: [{ type: "scatter", y: [1, 2] }] });
  assert.deepEqual(Object.keys(shown[0]?.data ?? {}), ["application/vnd.plotly.v1+json", "image/svg+xml"]);
  assert.match(String(shown[0]?.data["image/svg+xml"]), /^<svg[^]*scatterlayer/);
});

test("a trace is shown as its accuracies, images as pictures with their classes, the rest as Node prints it", async () => {
  // Two images of two classes: the first right at both timesteps, the second at the last.
  const logits = Float32Array.from([1, 0, 1, 0, 1, 0, 0, 1]);
  const labels = Int32Array.from([0, 1]);
  await show({ timesteps: 2, examples: 2, classes: 2, logits, labels, ids: labels, model: "M" });
  assert.equal(textOf(0), "Trace of M: 2 timesteps, 2 images, 2 classes");
  assert.deepEqual(textOf(1).split("\n").slice(1), ["       0       0.5", "       1       1.0"]);
  const classNames = ["cat", "dog"];
  await show({ images: new Uint8Array(24), labels, ids: labels, size: { height: 2, width: 2 }, classNames });
  assert.match(String(shown[2]?.data["image/svg+xml"]), />2 of 2 images<[^]*>dog</);
  await show(new Map([[1, 2]]));
  assert.equal(textOf(3), "Map(1) { 1 => 2 }");
});

test("of a set that is sorted by class, images of all classes are shown", async () => {
  const labels = Int32Array.from({ length: 60 }, (_, i) => Math.floor(i / 20));
  const classNames = ["cat", "dog", "fox"];
  const images = new Uint8Array(60 * 12);
  await show({ images, labels, ids: labels, size: { height: 2, width: 2 }, classNames }, { limit: 6 });
  const svg = String(shown[0]?.data["image/svg+xml"]);
  for (const name of classNames) assert.equal(svg.split(`>${name}<`).length - 1, 2);
});

test("the project's figures are larger on the screen than in print, those of others as they are", async () => {
  const data = [{ type: "scatter", y: [1, 2] }];
  await show({ data, layout: figureLayout({ x: "Timestep", y: "Images" }) });
  await show({ data, layout: { width: 317, height: 200 } });
  const widths = shown.map(
    (_, i) => /^<svg[^>]* width="([\d.]+)"/.exec(String(shown[i]?.data["image/svg+xml"]))?.[1],
  );
  assert.deepEqual(widths.map(Number).map(Math.round), [406, 317]);
});

test("runs are shown side by side", async () => {
  const runs = listRuns(join(import.meta.dirname, "../experiments/runs/former-runs"));
  await show(runs);
  assert.match(
    textOf(0),
    /^name +hash +model +seed +state[^\n]*\ndensenet-ordinary-ce +b0cce9a2de24 +DenseNet-CascadedCE/,
  );
});

test("outside of notebooks tables and texts are printed, a figure says what to do; grouped frames are no figures", async (context) => {
  jupyter.lastWriteDisplayData = null;
  const printed: string[] = [];
  context.mock.method(console, "log", (text: string) => void printed.push(text));
  try {
    await show(table({ a: [1.5] }));
    await show("words");
    await show({ data: [[1], [2]], keyCol: ["a"] });
    await assert.rejects(
      show({ data: [{ y: [1] }] }),
      userError(/no notebook to show this figure in; exportFigure/),
    );
  } finally {
    context.mock.restoreAll();
  }
  assert.deepEqual(printed, ["  a\n1.5", "words", "{ data: [ [ 1 ], [ 2 ] ], keyCol: [ 'a' ] }"]);
});

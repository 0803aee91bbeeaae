import assert from "node:assert/strict";
import { after, test } from "node:test";
import { from } from "arquero";
import { closeBrowser } from "../../lib/figures/browser.js";
import { confusionOverTimeFigure } from "../../lib/figures/confusion-over-time.js";
import { figureSize, renderSvg } from "../../lib/figures/draw.js";
import { stoppingOverTimeFigure } from "../../lib/figures/stopping-over-time.js";
import { traceChangesFigure } from "../../lib/figures/trace-changes.js";
import { confusionTable } from "../../lib/trace/confusion.js";
import { traceChanges, traceChangesByClass } from "../../lib/trace/trace-changes.js";
import { UserError } from "../../lib/util/errors.js";
import { traceOfProbabilities } from "../trace/made-traces.js";
import { assertSnapshot } from "./snapshot.js";

after(closeBrowser);

const [cat, dog] = [
  [0.9, 0.1],
  [0.2, 0.8],
];
const labels = [0, 0, 1, 1];
const steps = [
  [cat, cat, cat, cat],
  [cat, dog, cat, dog],
  [cat, cat, dog, dog],
];
const early = traceOfProbabilities(steps, labels);
const late = traceOfProbabilities([...steps.slice(0, 1), ...steps.slice(0, 1), ...steps.slice(1, 2)], labels);
const names = ["cat", "<a href=x>dog</a>"];

const confusion = confusionOverTimeFigure(confusionTable(early), names);
const changes = traceChangesFigure({
  changes: traceChanges(late, early),
  byClass: traceChangesByClass(late, early),
  classNames: names,
  first: "late",
  second: "<b>early",
});
const stopping = stoppingOverTimeFigure({
  stops: from([
    { timestep: 0, right: 1, wrong: 2 },
    { timestep: 1, right: 4, wrong: 1 },
  ]),
  curve: from([
    { meanStoppingTime: 0, accuracy: 0.25 },
    { meanStoppingTime: 1, accuracy: 0.75 },
  ]),
  now: { meanStoppingTime: 0.625, accuracy: 0.625 },
});

test("each is as its snapshot, and names of others stand letter by letter", () => {
  const { still, ...moving } = confusion;
  assert.ok(still);
  assertSnapshot("confusion-over-time.moving", moving);
  assertSnapshot("confusion-over-time.still", still);
  assertSnapshot("trace-changes", changes);
  assertSnapshot("stopping-over-time", stopping);
  for (const figure of [moving, still, changes]) assert.doesNotMatch(JSON.stringify(figure), /<a|<b>early/);
});

test("the slider shows one timestep, the last at first; the still form has them all, evenly spaced where there are many", () => {
  const { sliders } = confusion.layout as unknown as {
    sliders: [{ active: number; steps: { args: unknown[] }[] }];
  };
  assert.deepEqual(
    confusion.data.map(({ visible }) => visible),
    [false, false, true],
  );
  assert.equal(sliders[0].active, 2);
  assert.deepEqual(sliders[0].steps[1]?.args, [
    { visible: [false, true, false] },
    { "annotations[0].text": "t = 1: 50.0 % right" },
  ]);
  assert.deepEqual(confusion.data[1]?.["z"], [
    [0.5, 0.5],
    [0.5, 0.5],
  ]);
  assert.equal(confusion.still?.data.length, 3);
  const long = traceOfProbabilities(Array<number[][]>(70).fill(steps[0] as number[][]), labels);
  const shown = confusionOverTimeFigure(confusionTable(long), names).still?.layout["annotations"];
  const titles = (shown as { text: string }[]).map(({ text }) => /t = (\d+)/.exec(text)?.[1]);
  assert.deepEqual(titles, ["0", "8", "15", "23", "31", "38", "46", "54", "61", "69"]);
});

test("changes point upwards for the second and downwards for the first, in points, by class too", () => {
  const [up, down, line, map] = changes.data;
  assert.deepEqual(
    [up?.["y"], down?.["y"], line?.["y"]],
    [
      [0, 25, 50],
      [0, -25, 0],
      [0, 0, 50],
    ],
  );
  assert.deepEqual(map?.["z"], [
    [0, -50, 50],
    [0, 50, 50],
  ]);
  assert.deepEqual([map["zmin"], map["zmax"]], [-50, 50]);
});

test("what is drawn and exported of a figure with a still form is that form", async () => {
  const svg = await renderSvg(confusion);
  assert.equal(svg, await renderSvg(confusion.still as NonNullable<typeof confusion.still>));
  assert.equal(figureSize(confusion).height, confusion.still?.layout["height"]);
  assert.match(svg, /t = 0: 50\.0 % right[^]*t = 2: 100\.0 % right/);
  assert.throws(() => confusionOverTimeFigure(from([{ timestep: 0 }]), names), UserError);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { from } from "arquero";
import { blockInfluenceFigure } from "../../lib/figures/block-influence.js";
import { delayKernelsFigure } from "../../lib/figures/delay-kernels.js";
import { WIDTH } from "../../lib/figures/style.js";
import { delayKernel } from "../../lib/nn/delay.js";
import { UserError } from "../../lib/util/errors.js";
import { assertSnapshot } from "./snapshot.js";

const kernels = delayKernelsFigure([
  { name: "one-step delay", kernel: delayKernel({ kind: "oneStepDelay" }, 3) },
  { name: "a = 0.5", kernel: delayKernel({ kind: "exponentialSmoothing", alpha: 0.5 }, 3) },
]);
const influence = blockInfluenceFigure(
  from([
    { scheme: "parallel", block: 1, timestep: 0, change: 0 },
    { scheme: "parallel", block: 1, timestep: 1, change: 0.25 },
    { scheme: "parallel", block: 2, timestep: 0, change: 0 },
    { scheme: "parallel", block: 2, timestep: 1, change: 0.75 },
  ]),
);

test("delay kernels stand as matrices with blanks for zero, on one scale", () => {
  const [one, half] = kernels.data;
  assert.deepEqual(one?.["z"], [
    [null, null, null],
    [1, null, null],
    [null, 1, null],
  ]);
  assert.deepEqual(half?.["z"], [
    [0.5, null, null],
    [0.25, 0.5, null],
    [0.125, 0.25, 0.5],
  ]);
  assert.deepEqual([one["zmax"], half["zmax"], half["showscale"]], [1, 1, false]);
  assert.deepEqual((kernels.layout["yaxis"] as { range: number[] }).range, [2.5, -0.5]);
});

test("block influence has a row a block from 1 upwards, blank where nothing changes", () => {
  assert.deepEqual(influence.data[0]?.["z"], [
    [null, 0.25],
    [null, 0.75],
  ]);
  assert.deepEqual(influence.data[0]["y"], [1, 2]);
  assert.deepEqual((influence.layout["yaxis"] as { range: number[] }).range, [0.5, 2.5]);
});

test("both are as their snapshots, of a column's width, and say what they cannot draw", () => {
  for (const [name, figure] of Object.entries({ "delay-kernels": kernels, "block-influence": influence })) {
    assertSnapshot(name, figure);
    assert.equal(figure.layout["width"], WIDTH.column);
  }
  assert.throws(() => delayKernelsFigure([{ name: "odd", kernel: [[1, 0]] }]), /"odd"/);
  assert.throws(() => delayKernelsFigure([]), UserError);
  assert.throws(() => blockInfluenceFigure(from([{ block: 1, timestep: 0, change: 1 }])), /"scheme"/);
});

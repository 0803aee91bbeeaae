import assert from "node:assert/strict";
import { test } from "node:test";
import { runFolder } from "../../../lib/experiments/runs/run-folder.js";
import { parseSweepSpec, sweepSpecs } from "../../../lib/experiments/specs/sweep-spec.js";

test("every combination is a training, seeds changing fastest", () => {
  const sweep = parseSweepSpec(
    {
      models: ["cascaded-td", "serial-td"],
      seeds: [3, 4],
      change: { "train.epochs": 5 },
      grid: { "loss.lambda": [0, 1], "network.width": [0.25, 0.5] },
    },
    "s.json",
  );
  const specs = sweepSpecs(sweep, [undefined]);
  const told = specs.map(({ seed, loss, network, train }) => [
    "scheme" in network ? network.scheme : "",
    loss.lambda,
    "width" in network ? network.width : 0,
    seed,
    train.epochs,
  ]);
  assert.deepEqual(told.slice(0, 5), [
    ["parallel", 0, 0.25, 3, 5],
    ["parallel", 0, 0.25, 4, 5],
    ["parallel", 0, 0.5, 3, 5],
    ["parallel", 0, 0.5, 4, 5],
    ["parallel", 1, 0.25, 3, 5],
  ]);
  assert.deepEqual(told.at(-1), ["serial", 1, 0.5, 4, 5]);
  assert.equal(new Set(specs.map(runFolder)).size, 16);
});

test("a sweep that cannot be is refused by what is wrong with it", () => {
  const refused = (value: object, message: RegExp): void => {
    assert.throws(
      () =>
        sweepSpecs(parseSweepSpec({ models: ["cascaded-td"], ...value }, "s.json"), [undefined], "s.json"),
      message,
    );
  };
  refused({ models: ["cascadet-td"] }, /s\.json[^]*models/);
  refused({ seed: [1] }, /s\.json[^]*seed/);
  refused({ grid: { "train.epohcs": [1] } }, /s\.json, cascaded-td[^]*epohcs/);
  refused({ grid: { "loss.lambda": [] } }, /loss\.lambda/);
  refused({ change: { "train..epochs": 1 } }, /no path of a field/);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseOverrides } from "../../lib/cli/overrides.js";
import { presetNamed } from "../../lib/experiments/specs/presets.js";
import {
  changedSpec,
  changeTexts,
  combined,
  type SpecChange,
} from "../../lib/experiments/specs/spec-change.js";
import { UserError } from "../../lib/util/errors.js";

test("values are JSON where they are JSON, else text, placed by their paths; a later one has the last word", () => {
  assert.deepEqual(
    parseOverrides([
      "train.epochs=3",
      "train.schedule.factor=0.5",
      "train.schedule.kind=step",
      "data.path=a=b/c",
      'data.tag="3"',
      "data.name=",
      "trainImages=null",
      "heldOutClasses=[1,2]",
      "train.rate=1e-3",
      "train.rate=0.5",
    ]),
    {
      train: { epochs: 3, schedule: { factor: 0.5, kind: "step" }, rate: 0.5 },
      data: { path: "a=b/c", tag: "3", name: "" },
      trainImages: null,
      heldOutClasses: [1, 2],
    },
  );
});

test("texts and changes are each other's inverse", () => {
  const change: SpecChange = {
    seed: 3,
    trainImages: null,
    data: { kind: "folder", path: "a=b", onBroken: "fail" },
    network: { width: 0.125, heads: "perTimestep", delay: { kind: "exponentialSmoothing", alpha: 0.9 } },
    train: { augmentation: { flip: false } },
  };
  assert.deepEqual(parseOverrides(changeTexts(change)), change);
});

test("a field named like a part of every object stays a plain field", () => {
  const change = combined({}, parseOverrides(["__proto__.epochs=3", "constructor.x=1"]));
  assert.deepEqual(Object.keys(change), ["__proto__", "constructor"]);
  assert.equal("epochs" in {}, false);
});

const DENSE = presetNamed("densenet-cascaded-td");

test("what cannot be put in place says why", () => {
  const cases: [string, RegExp][] = [
    ["epochs", /"epochs" is not of the form key=value/],
    ["=3", /not of the form/],
    ["train..epochs=3", /not of the form/],
    ["train.epochs.x=3", /train\.epochs\.x does not exist: train\.epochs is 6, which has no fields/],
    [
      "network.layers.4=3",
      /network\.layers\.4 does not exist: network\.layers is a list of 4 items, counted from 0/,
    ],
    ["network.layers.first=3", /network\.layers\.first does not exist/],
    ["network.densenet.growth=8", /network\.densenet is from before networks had an architecture/],
    ["network.width=1", /network\.width is not a known field/],
  ];
  for (const [override, message] of cases) {
    assert.throws(
      () => changedSpec(DENSE, parseOverrides([override])),
      (error: unknown) => error instanceof UserError && message.test(error.message),
      override,
    );
  }
});

test("an override that goes deeper than any spec is refused at once", () => {
  const deep = `${Array<string>(20_000).fill("a").join(".")}=1`;
  assert.throws(() => parseOverrides([deep]), /20000 fields deep/);
});

test("an item of a list is changed by its place, a field of an object that was null or absent is put there", () => {
  const { network, loss } = changedSpec(
    presetNamed("densenet-serial-td-multihead"),
    parseOverrides(["network.layers.2=3", "loss.exitWeights.kind=shallowDeep"]),
  );
  assert.ok(network.architecture === "densenet");
  assert.deepEqual(network.layers, [6, 12, 3, 16]);
  assert.deepEqual(loss.exitWeights, { kind: "shallowDeep" });
});

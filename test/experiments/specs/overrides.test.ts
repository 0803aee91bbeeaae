import assert from "node:assert/strict";
import { test } from "node:test";
import { applyOverrides } from "../../../lib/experiments/specs/overrides.js";
import { UserError } from "../../../lib/util/errors.js";

const spec = { train: { epochs: 20, rate: 0.1 }, stages: [{ blocks: 2 }, { blocks: 2 }], noise: null };

test("values are JSON where they are JSON, else text; the spec itself stays as it was", () => {
  const before = structuredClone(spec);
  assert.deepEqual(
    applyOverrides(spec, [
      "train.epochs=3",
      "stages.1.blocks=4",
      "data.path=a=b/c",
      "noise.kind=blur",
      "seeds=[1,2]",
    ]),
    {
      train: { epochs: 3, rate: 0.1 },
      stages: [{ blocks: 2 }, { blocks: 4 }],
      noise: { kind: "blur" },
      data: { path: "a=b/c" },
      seeds: [1, 2],
    },
  );
  assert.deepEqual(
    applyOverrides(spec, ["name=", 'tag="3"', "noise=null", "train.rate=1e-3", "train.rate=0.5"]),
    {
      ...spec,
      name: "",
      tag: "3",
      train: { epochs: 20, rate: 0.5 },
    },
  );
  assert.deepEqual(spec, before);
});

test("a field named like a part of every object stays a plain field", () => {
  const changed = applyOverrides(spec, ["__proto__.epochs=3", "constructor.x=1"]);
  assert.deepEqual(Object.keys(changed as object).slice(-2), ["__proto__", "constructor"]);
  assert.equal("epochs" in {}, false);
});

test("what cannot be put in place says why", () => {
  const cases: [string, RegExp][] = [
    ["epochs", /"epochs" is not of the form key=value/],
    ["=3", /not of the form/],
    ["train..epochs=3", /not of the form/],
    ["train.epochs.x=3", /train\.epochs\.x does not exist: train\.epochs is 20/],
    ["stages.2.blocks=3", /stages\.2 does not exist: stages is a list of 2 items/],
    ["stages.first=3", /stages\.first does not exist/],
  ];
  for (const [override, message] of cases) {
    assert.throws(
      () => applyOverrides(spec, [override]),
      (error: unknown) => error instanceof UserError && message.test(error.message),
    );
  }
});

test("an override that goes deeper than any spec is refused at once", () => {
  const deep = `${Array<string>(20_000).fill("a").join(".")}=1`;
  assert.throws(() => applyOverrides({}, [deep]), /20000 fields deep/);
});

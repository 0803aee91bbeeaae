import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { runStudy } from "../../lib/studies/run-study.js";
import type { Study } from "../../lib/studies/study.js";
import { StudyContext } from "../../lib/studies/study-context.js";
import { Stopped } from "../../lib/util/stopping.js";
import { temporaryFolder } from "../temporary-folder.js";
import { tinyRunSpec } from "../experiments/tiny-run.js";
import { DIVERGING, SMALL_DATA } from "./small-study.js";
import { changedSpec } from "../../lib/experiments/specs/spec-change.js";

const SETTINGS = { seeds: [0], change: DIVERGING };
const STUDY: Study = {
  name: "one",
  title: "One training a seed",
  claim: "none",
  trainings: ({ seeds, change }, data) =>
    seeds.map((seed) => changedSpec({ ...tinyRunSpec("cascaded-ce"), data, seed }, change)),
  analyse: () => Promise.reject(new Error("there is nothing to analyse")),
};

test("a study without a finished comparison, or that cannot be done here, is a result that says so", async (context) => {
  const root = await temporaryFolder(context);
  const study = new StudyContext(SMALL_DATA.source, root);
  const left = await runStudy({ ...STUDY, cannotRun: () => "it needs what is not here" }, SETTINGS, study);
  assert.deepEqual([left.findings, left.notTested], [[], "it needs what is not here"]);
  assert.deepEqual(readdirSync(root), []);

  const diverged = await runStudy(STUDY, SETTINGS, study);
  assert.equal(diverged.notTested, "1 of 1 trainings diverged: seed 0; no seed is left to compare");
});

test("a study whose training is stopped is stopped, and has no result", async (context) => {
  const study = new StudyContext(SMALL_DATA.source, await temporaryFolder(context));
  const cell = { signal: AbortSignal.abort(), waitFor: () => undefined };
  const key = Symbol.for("anytime-cascade.cell");
  Object.assign(globalThis, { [key]: () => cell });
  context.after(() => Reflect.deleteProperty(globalThis, key));
  await assert.rejects(runStudy(STUDY, SETTINGS, study), Stopped);
});

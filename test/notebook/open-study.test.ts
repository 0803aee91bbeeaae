import assert from "node:assert/strict";
import { test } from "node:test";
import { EMBEDDED_DATA } from "../../lib/studies/quick.js";
import { openStudy } from "../../lib/notebook/open-study.js";
import { planReplication } from "../../lib/studies/replication/replication.js";
import { PROTOCOLS, STUDIES } from "../../lib/studies/replication/protocols.js";
import { LAMBDA_SETTINGS, lambdaStudy } from "../../lib/studies/claims/lambda/study.js";
import { specHash } from "../../lib/experiments/specs/spec-hash.js";

const DEFAULTS = { protocol: "quick", data: "", cScores: "", seeds: [] };

test("without data a study has the trainings that replicate gives it by the same protocol", async () => {
  const { specs, settings } = await openStudy(lambdaStudy, LAMBDA_SETTINGS, DEFAULTS);
  const { trainings } = planReplication({
    protocol: PROTOCOLS.quick,
    studies: STUDIES,
    data: [],
    only: ["lambda"],
  });
  assert.deepEqual(new Set(specs.map(specHash)), new Set(trainings.map(({ spec }) => specHash(spec))));
  assert.deepEqual(settings.seeds, LAMBDA_SETTINGS.quick.seeds);
});

test("seeds and data of the parameters take the protocol's place", async () => {
  const { specs, settings } = await openStudy(lambdaStudy, LAMBDA_SETTINGS, {
    ...DEFAULTS,
    protocol: "reduced",
    data: "procedural",
    seeds: [5],
  });
  assert.deepEqual(settings.seeds, [5]);
  assert.deepEqual(settings.change, LAMBDA_SETTINGS.reduced.change);
  assert.ok(specs.length > 0 && specs.every(({ data }) => data.kind === "procedural"));
});

test("a protocol that is none, one without data, and a seed given twice are told in a sentence", async () => {
  await assert.rejects(
    openStudy(lambdaStudy, LAMBDA_SETTINGS, { ...DEFAULTS, protocol: "fast" }),
    /^UserError: there is no protocol "fast"; there are quick, reduced, settled, full$/,
  );
  await assert.rejects(
    openStudy(lambdaStudy, LAMBDA_SETTINGS, { ...DEFAULTS, protocol: "full" }),
    /^UserError: protocol "full" needs images .* set data = "cifar10=<archive or folder>"/,
  );
  await assert.rejects(
    openStudy(lambdaStudy, LAMBDA_SETTINGS, { ...DEFAULTS, seeds: [0, 1, 0] }),
    /^UserError: the parameter seeds names 0 twice$/,
  );
});

test("quick trainings see their images: no patch hides all of one", () => {
  const side = EMBEDDED_DATA.kind === "procedural" ? EMBEDDED_DATA.size : 0;
  for (const study of STUDIES) {
    const configured = study.configure("quick");
    for (const { train } of configured.trainings(EMBEDDED_DATA))
      assert.ok(train.augmentation.occlusion < side, study.name);
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { forward, parameterCount } from "../../lib/models/anytime-network.js";
import { cascadedResNet, type CascadedResNetSpec } from "../../lib/models/cascaded-resnet.js";
import { networkCost } from "../../lib/models/cost.js";
import { disposeEvaluationPass, evaluationPass } from "../../lib/models/state.js";
import type { EvaluationPass } from "../../lib/nn/pass.js";
import { constantTimeline } from "../../lib/nn/timeline.js";
import { runTimeMajor } from "../nn/time-major-oracle.js";
import { assertNear, everyCombination, otherNetworks, tinySpec } from "./oracle-cases.js";
import { evaluationLogits } from "./evaluation-logits.js";
import {
  disposeSetting,
  type OracleCase,
  oracleErrors,
  relativeError,
  settingOf,
} from "./oracle-comparison.js";

test("layer by layer equals a loop over time: logits, statistics, gradients, in every combination", () => {
  assert.equal(everyCombination.length, 3 * 4 * 2 * 2 * 3);
  for (const given of everyCombination) assertNear(given.name, oracleErrors(given));
});

test("other depths, bottlenecks, stems, batch sizes and numbers of timesteps equal the loop over time too", () => {
  for (const given of otherNetworks) assertNear(given.name, oracleErrors(given));
});

test("timesteps whose running statistics differ are not merged; merging them would be wrong by a lot", () => {
  const given: OracleCase = {
    name: "statistics that differ",
    spec: tinySpec(),
    side: 12,
    batch: 2,
    timeline: constantTimeline(9, 2),
    statistics: "distinct",
    lambda: 0,
  };
  const setting = settingOf(given);
  const expected = runTimeMajor(given.spec, setting.tensors, setting.frames, "evaluation").logits;
  const pass = evaluationPass(setting.network, setting.state);
  const logitsOf = (by: EvaluationPass): Float32Array =>
    forward(setting.network, by, setting.images, 2).y.values;
  const careless: EvaluationPass = {
    ...pass,
    opened: new Map(),
    norms: new Map(
      [...pass.norms].map(([name, norm]) => [name, { ...norm, equalRows: norm.equalRows.map(() => 0) }]),
    ),
  };
  assert.ok(relativeError(logitsOf(pass), expected) < 1e-5);
  assert.ok(relativeError(logitsOf(careless), expected) > 0.1);
  for (const opened of careless.opened.values()) opened.dispose();
  disposeEvaluationPass(pass);
  disposeSetting(setting);
});

const logitsOverTime = (spec: CascadedResNetSpec): number[][] => evaluationLogits(cascadedResNet(spec), 12);

test("the cascade has converged after as many steps as it has delays, and stays at the ordinary network's answer", () => {
  const cascade = logitsOverTime(tinySpec({ timesteps: 13 }));
  const ordinary = logitsOverTime(
    tinySpec({ timesteps: 1, scheme: { kind: "parallel", delay: { kind: "none" } } }),
  );
  const serial = logitsOverTime(tinySpec({ scheme: { kind: "serial", delay: { kind: "oneStepDelay" } } }));
  // Eight blocks and the stem: nine delays, so that the last of the paper's nine timesteps, t = 8, is one short.
  assert.notDeepEqual(cascade[8], cascade[9]);
  for (const later of cascade.slice(10)) assert.deepEqual(later, cascade[9]);
  assert.ok(relativeError(cascade[9] ?? [], ordinary[0] ?? []) < 1e-5);
  assert.ok(relativeError(serial[8] ?? [], ordinary[0] ?? []) < 1e-5);
  // Nothing has been seen at t = 0: every image gets the same answer.
  assert.deepEqual(cascade[0]?.slice(0, 5), cascade[0]?.slice(5));
});

test("smoothing with alpha 0 is no delay; with alpha above 0 it draws near the same answer from below", () => {
  const smoothed = (alpha: number): number[][] =>
    logitsOverTime(
      tinySpec({ scheme: { kind: "parallel", delay: { kind: "exponentialSmoothing", alpha } } }),
    );
  const none = logitsOverTime(tinySpec({ scheme: { kind: "parallel", delay: { kind: "none" } } }));
  assert.deepEqual(smoothed(0), none);
  const gaps = smoothed(0.3).map((logits) => relativeError(logits, none[0] ?? []));
  assert.ok((gaps[0] ?? 0) > 0.1 && (gaps[8] ?? 1) < 0.1);
});

test("parameters and multiply-adds of the full ResNet-18 on 32x32 images are the paper's", () => {
  const network = cascadedResNet(tinySpec({ width: 1, classes: 10 }));
  assert.equal(parameterCount(network), 11_172_170);
  const { distinct, everyStep, evaluations } = networkCost(network, 32);
  const millions = (values: readonly number[]): string => ((values.at(-1) ?? NaN) / 1e6).toFixed(1);
  assert.equal(millions(distinct), "599.5");
  assert.equal(millions(everyStep), "1261.7");
  assert.equal(((everyStep[0] ?? NaN) / 1e6).toFixed(1), "140.2");
  // 43 distinct block evaluations, of which each block's at t = 0 does not depend on the image.
  assert.equal(
    evaluations.reduce((a, b) => a + b, 0),
    43 - 8,
  );
});

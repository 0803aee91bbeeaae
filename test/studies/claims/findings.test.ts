import assert from "node:assert/strict";
import { test } from "node:test";
import { DETECTORS } from "../../../lib/experiments/analyses/novelty-detection.js";
import type { Delays } from "../../../lib/studies/claims/delays/arms.js";
import { findingsOf as delayFindings } from "../../../lib/studies/claims/delays/findings.js";
import { DELAYS_SETTINGS } from "../../../lib/studies/claims/delays/study.js";
import { denseFindings, exitWeightFinding } from "../../../lib/studies/claims/densenet/findings.js";
import { compared } from "../../../lib/studies/claims/densenet/models.js";
import { findingsOf as lambdaFindings } from "../../../lib/studies/claims/lambda/findings.js";
import { sweepOf } from "../../../lib/studies/claims/lambda/sweep.js";
import { armOf, constantsFindings } from "../../../lib/studies/claims/norm-constants/study.js";
import { precisionFindings } from "../../../lib/studies/claims/precision/study.js";
import { findingsOf as sixModelsFindings } from "../../../lib/studies/claims/six-models/findings.js";
import { sixModels } from "../../../lib/studies/claims/six-models/models.js";
import {
  correctnessFindings,
  noveltyFindings,
  stoppingFindings,
} from "../../../lib/studies/claims/trace/findings.js";
import type { CorrectnessRow } from "../../../lib/studies/claims/trace/correctness.js";
import { RULES } from "../../../lib/studies/claims/trace/stopping.js";
import type { NoveltyRow } from "../../../lib/studies/claims/trace/novelty.js";
import { findingsOf as typicalityFindings } from "../../../lib/studies/claims/typicality/findings.js";
import type { RunTypicality } from "../../../lib/studies/claims/typicality/runs.js";
import { RELATIONS, THRESHOLDS } from "../../../lib/studies/claims/typicality/typicality-of-trace.js";
import { decided, type Draft, type Finding, verdictOf } from "../../../lib/studies/evidence/finding.js";
import { PairedArms } from "../../../lib/studies/evidence/paired-arms.js";
import { PAPER } from "../../../lib/studies/evidence/paper-figure.js";
import { madeArms, SEEDS } from "./made-models.js";

const outcome = (findings: readonly Finding[], statement: string): string =>
  findings.find((one) => one.statement.includes(statement))?.outcome ?? `no finding "${statement}"`;

const verdict = (drafts: readonly Draft[]): string => verdictOf({ findings: decided(drafts) });

/** Accuracy at t = 0 is chance; then a straight way from the early to the last. */
const path = (early: number, last: number): number[] => [
  0.1,
  ...Array.from({ length: 8 }, (_, i) => early + ((last - early) * i) / 7),
];

test("six models: the paper's figure is the paper's claim, and a gap to the ordinary network is none", () => {
  const late = (last: number): number[] => [0.1, 0.1, 0.1, 0.1, 0.4, 0.8, last, last, last];
  const asPublished = {
    CascadedTD: path(0.6, 0.915),
    "CascadedTD-MultiHead": path(0.5, 0.9),
    CascadedCE: late(0.92),
    SerialTD: path(0.3, 0.87),
    "SerialTD-MultiHead": path(0.3, 0.9),
    SerialCE: late(0.92),
    SDN: path(0.35, 0.9),
  };
  const findings = decided(sixModelsFindings(sixModels(madeArms(asPublished), PAPER)));
  assert.equal(verdictOf({ findings }), "reproduced");
  assert.equal(outcome(findings, "CascadedTD is as accurate as CascadedCE"), "holds");
  assert.equal(outcome(findings, "strictly better than CE"), "does not hold", "it ends below");
  assert.deepEqual(
    findings.filter(({ carries }) => carries).map(({ by }) => by),
    Array(6).fill("paper"),
  );

  const gap = { ...asPublished, CascadedCE: late(0.94) };
  const short = decided(sixModelsFindings(sixModels(madeArms(gap), PAPER)));
  assert.equal(outcome(short, "CascadedTD is as accurate as CascadedCE"), "does not hold");
  assert.equal(verdictOf({ findings: short }), "in part");
});

test("lambda: the paper's ends lead, or the other ends do", () => {
  const sweep = (cascaded: number, serial: number) =>
    lambdaFindings(
      sweepOf(
        madeArms(
          Object.fromEntries(
            ["CascadedTD", "CascadedTD-MultiHead", "SerialTD", "SerialTD-MultiHead"].flatMap((model) => {
              const gain = model.startsWith("Cascaded") ? cascaded : serial;
              return [
                [`${model}, λ = 0`, path(0.4 + gain, 0.8)],
                [`${model}, λ = 1`, path(0.4, 0.8)],
              ];
            }),
          ),
        ),
        [0, 1],
      ),
    );
  assert.equal(verdict(sweep(0.1, -0.1)), "reproduced");
  assert.equal(verdict(sweep(-0.1, 0.1)), "not reproduced");
  const findings = decided(sweep(0.1, 0.1));
  assert.equal(verdictOf({ findings }), "in part");
  assert.equal(
    outcome(findings, "λ = 0 in place of λ = 1 does more for the area of CascadedTD"),
    "does not hold",
  );
  assert.equal(outcome(findings, "CascadedTD: the paper's λ = 0 is not behind λ = 1 at the last"), "holds");
});

test("DenseNet: ahead early and near at the last step; exit weights that gain, and that lose", () => {
  const dense = (last: number) =>
    denseFindings(
      compared(
        madeArms({
          "DenseNet-CascadedTD": path(0.5, last),
          "DenseNet-CascadedCE": path(0.1, 0.8),
          "DenseNet-SerialCE": path(0.1, 0.8),
          "DenseNet-SerialTD-MultiHead": path(0.3, 0.75),
        }),
      ),
    );
  assert.equal(verdict(dense(0.78)), "reproduced");
  assert.equal(verdict(dense(0.7)), "in part", "ten points behind");
  const exits = (gain: number) =>
    decided([
      exitWeightFinding(
        compared(madeArms({ "SerialTD-MultiHead": path(0.3, 0.8), SDN: path(0.2, 0.8 + gain) })),
      ),
    ]);
  assert.deepEqual([exits(0.02)[0]?.outcome, exits(-0.02)[0]?.outcome], ["holds", "does not hold"]);
});

test("delays: depth grows with time or it does not; smoothing undone by the norm, and not", () => {
  const flat = Array<number>(9).fill(0.6);
  const long = {
    "ordinary network": flat,
    smoothing: flat,
    "one-step delay, smoothed": path(0.1, 0.3),
    "one-step delay": flat,
    small: path(0.3, 0.3),
    "small, for all steps": path(0.3, 0.5),
  };
  const study = (oneStep: readonly number[], smoothed: readonly number[]): Delays => ({
    settings: DELAYS_SETTINGS.quick,
    trained: madeArms({
      "one-step delay": oneStep,
      "a = 0": flat,
      "a = 0.9": smoothed,
      "a = 0.9, ε = 0.00001": flat,
    }),
    ordinary: madeArms({ "one-step delay": oneStep, "a = 0": flat, "a = 0.9": path(0.2, 0.6) }),
    long: madeArms({ ...long, "ordinary weights": path(0.2, 0.6) }),
  });
  const findings = decided(delayFindings(study(path(0.3, 0.6), flat)));
  assert.equal(verdictOf({ findings }), "reproduced");
  assert.equal(outcome(findings, "undoes the smoothing"), "holds");
  assert.equal(outcome(findings, "every timestep is the ordinary network"), "holds");
  assert.equal(outcome(findings, "A small network is more accurate"), "holds");
  assert.equal(outcome(findings, "grows more over time"), "does not hold");
  assert.equal(outcome(findings, "as the published evaluation does"), "does not hold");
  const other = decided(delayFindings(study(flat, path(0.3, 0.6))));
  assert.equal(verdictOf({ findings: other }), "not reproduced");
  assert.equal(outcome(other, "undoes the smoothing"), "does not hold");
  assert.equal(outcome(other, "grows more over time"), "holds");
});

test("precision and norm constants: the same to within a point, and two points apart", () => {
  const mixed = (change: number) =>
    precisionFindings(madeArms({ float32: path(0.4, 0.7), mixed: path(0.4 + change, 0.7 + change) }));
  assert.equal(verdict(mixed(0)), "reproduced");
  assert.equal(verdict(mixed(0.02)), "not reproduced");
  const constants = (change: number) =>
    constantsFindings(
      madeArms(
        Object.fromEntries(
          ["CascadedTD", "SerialTD-MultiHead"].flatMap((model, i) =>
            [1e-5, 0.1].flatMap((epsilon) =>
              [0.1, 1].map((momentum) => {
                const level = 0.6 - i * 0.1 + (epsilon === 0.1 && momentum === 1 ? change : 0);
                return [armOf(model, { epsilon, momentum }), path(level, level + 0.1)];
              }),
            ),
          ),
        ),
      ),
    );
  assert.equal(verdict(constants(0)), "reproduced");
  const findings = decided(constants(0.02));
  assert.equal(verdictOf({ findings }), "in part");
  assert.equal(outcome(findings, "CascadedTD, last"), "does not hold");
  assert.equal(outcome(findings, "with both pairs of constants"), "holds");
});

test("trace: a GRU that judges, stops and detects better, and one that does not", () => {
  const wiggle = (seed: number): number => (seed - 1) / 1000;
  const judgement = (lead: number): CorrectnessRow[] =>
    SEEDS.flatMap((seed) =>
      [0, 1, 2].flatMap((timestep) =>
        (["GRU", "confidence"] as const).map((signal) => {
          // At t = 0 a signal tells nothing, and does not count.
          const auroc =
            timestep === 0 ? seed / 4 : 0.7 + seed / 20 + (signal === "GRU" ? lead + wiggle(seed) : 0);
          return { model: "CascadedTD", seed, timestep, signal, auroc, withoutGroup: [], low: 0, high: 1 };
        }),
      ),
    );
  const areas = (lead: number) =>
    SEEDS.flatMap((seed) =>
      RULES.map((rule, i) => ({
        model: "CascadedTD",
        seed,
        rule,
        area: 0.6 + seed / 20 - i / 1000 + (rule === "right (GRU)" ? lead + wiggle(seed) : 0),
        withoutGroup: [],
      })),
    );
  const novelty = (lead: number): NoveltyRow[] =>
    SEEDS.flatMap((seed) =>
      (["held-out classes", "procedural images"] as const).flatMap((outOfDistribution) =>
        ["CascadedTD", "SerialTD-MultiHead"].flatMap((model) =>
          Object.values(DETECTORS).flatMap((detector) =>
            (["last step", "whole trace"] as const).map((reads) => ({
              model,
              seed,
              outOfDistribution,
              detector,
              reads,
              learntFrom: "in-distribution images" as const,
              auroc: 0.6 + seed / 20 + (detector === DETECTORS.noveltyGru ? lead + wiggle(seed) : 0),
              withoutGroup: [],
              low: 0,
              high: 1,
              inDistributionImages: 10,
              outOfDistributionImages: 10,
            })),
          ),
        ),
      ),
    );
  const all = (lead: number): Draft[] => [
    ...correctnessFindings(judgement(lead)),
    ...stoppingFindings(areas(lead)),
    ...noveltyFindings(novelty(lead)),
  ];
  const findings = decided(all(0.1));
  assert.equal(verdictOf({ findings }), "reproduced");
  assert.equal(outcome(findings, "held-out classes: time itself helps"), "does not hold");
  assert.equal(verdict(all(-0.1)), "not reproduced");
});

test("typicality: latency that falls with the C-score, and that rises with it", () => {
  const run = (seed: number, rho: number): RunTypicality => {
    const correlation = { rho: rho + seed / 100, low: -1, high: 1 };
    const opposite = { rho: -rho + seed / 100, low: -1, high: 1 };
    return {
      model: "CascadedTD",
      seed,
      run: "",
      classNames: ["one", "two"],
      examples: 10,
      thresholds: THRESHOLDS.map((threshold) => ({
        threshold,
        meanLatency: 1,
        stoppedEarly: 0.5,
        accuracy: 0.5,
        correlations: Object.fromEntries(
          RELATIONS.map((relation) => [relation, relation === "correctness" ? opposite : correlation]),
        ) as RunTypicality["thresholds"][number]["correlations"],
      })),
      bins: [],
      classes: [0, 1].map((label) => ({ label, rho: label === 0 ? rho + seed / 100 : seed / 100 })),
      extremes: [],
      withoutGroup: [],
    };
  };
  const kind = (rho: number, images: "data set" | "constructed" = "data set") => ({
    images,
    arms: new PairedArms(SEEDS.map((seed) => ({ arm: "CascadedTD", seed, measured: run(seed, rho) }))),
  });
  const findings = decided(typicalityFindings(kind(-0.5)));
  assert.equal(verdictOf({ findings }), "reproduced");
  assert.equal(
    outcome(findings, "within every class"),
    "does not hold",
    "the second class knows no relation",
  );
  assert.equal(verdict(typicalityFindings(kind(0.5))), "not reproduced");
  assert.equal(
    verdict(typicalityFindings(kind(-0.5, "constructed"))),
    "not tested here",
    "made images carry nothing",
  );
});

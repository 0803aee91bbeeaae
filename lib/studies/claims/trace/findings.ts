import { DETECTORS } from "../../../experiments/analyses/novelty-detection.js";
import { type Draft, finding, type Statement } from "../../evidence/finding.js";
import { isAhead } from "../../evidence/rules.js";
import {
  AREA,
  areaArms,
  AUROC,
  detectorArm,
  correctnessArms,
  noveltyArms,
  ruleArm,
  signalArm,
  type Which,
} from "./arms.js";
import type { CorrectnessRow } from "./correctness.js";
import { type AreaRow, type Rule, RULES } from "./stopping.js";
import type { NoveltyRow } from "./novelty.js";
import { CASCADED_TD, SERIAL_TD_MULTIHEAD } from "../../evidence/model-names.js";

/** The model whose trace the paper uses. */
const PAPER: Pick<Statement, "by" | "carries"> = { by: "paper", carries: true };
const PROJECT: Pick<Statement, "by" | "carries"> = { by: "project" };

const modelsOf = (rows: readonly { readonly model: string }[]): string[] => [
  ...new Set(rows.map(({ model }) => model)),
];

export function correctnessFindings(rows: readonly CorrectnessRow[]): Draft[] {
  // At t = 0 a cascade has seen nothing.
  const arms = correctnessArms(rows.filter(({ timestep }) => timestep > 0));
  return modelsOf(rows).map((model) =>
    finding(
      {
        statement: `${model}: the GRU tells right answers from wrong ones better than the confidence (AUROC, mean over t >= 1)`,
        ...(model === CASCADED_TD ? PAPER : PROJECT),
      },
      isAhead,
      arms.over(signalArm({ model, signal: "GRU" }), [signalArm({ model, signal: "confidence" })], AUROC),
    ),
  );
}

const LEARNT_RULES = [
  ["right (GRU)", "the GRU's probability of being right"],
  ["gain (GRU)", "what the GRUs expect to gain by waiting"],
] as const satisfies readonly (readonly [Rule, string])[];
const FIXED_RULES = RULES.filter((rule) => !LEARNT_RULES.some(([learnt]) => learnt === rule));

export function stoppingFindings(rows: readonly AreaRow[]): Draft[] {
  const arms = areaArms(rows);
  const compared = (
    model: string,
    [learnt, name]: (typeof LEARNT_RULES)[number],
    fixed: readonly Rule[],
    claimed: Pick<Statement, "by" | "carries">,
  ): Draft =>
    finding(
      {
        statement: `${model}: stopping by ${name} has a larger area under the speed-accuracy curve than by ${fixed.join(", ")}`,
        ...claimed,
      },
      isAhead,
      arms.over(
        ruleArm({ model, rule: learnt }),
        fixed.map((rule) => ruleArm({ model, rule })),
        AREA,
      ),
    );
  return [
    compared(CASCADED_TD, LEARNT_RULES[0], ["confidence"], PAPER),
    ...modelsOf(rows).flatMap((model) =>
      LEARNT_RULES.map((rule) => compared(model, rule, FIXED_RULES, PROJECT)),
    ),
  ];
}

const CONFIDENCE: Which = { model: CASCADED_TD, detector: DETECTORS.confidence, reads: "last step" };
const WHOLE_TRACE: Which = { model: CASCADED_TD, detector: DETECTORS.noveltyGru, reads: "whole trace" };

/** Out- against in-distribution images. The first is the paper's, where both are photographs. */
const DETECTED: readonly { readonly statement: string; readonly better: Which; readonly than: Which }[] = [
  {
    statement:
      "a GRU of the whole trace that learnt from out-of-distribution images beats the last step's confidence",
    better: WHOLE_TRACE,
    than: CONFIDENCE,
  },
  {
    statement:
      "without out-of-distribution images to learn from, class Gaussians of the whole trace beat it too",
    better: { ...WHOLE_TRACE, detector: DETECTORS.gaussian },
    than: CONFIDENCE,
  },
  {
    statement: "time itself helps: the GRU of the whole trace beats the same of the last step",
    better: WHOLE_TRACE,
    than: { ...WHOLE_TRACE, reads: "last step" },
  },
  {
    statement: "the GRU of CascadedTD's trace beats that of SerialTD-MultiHead's",
    better: WHOLE_TRACE,
    than: { ...WHOLE_TRACE, model: SERIAL_TD_MULTIHEAD },
  },
];

export function noveltyFindings(rows: readonly NoveltyRow[]): Draft[] {
  const sets = [...new Set(rows.map(({ outOfDistribution }) => outOfDistribution))];
  return sets.flatMap((outOfDistribution) => {
    const arms = noveltyArms(rows.filter((row) => row.outOfDistribution === outOfDistribution));
    return DETECTED.map(({ statement, better, than }, i) =>
      finding(
        {
          statement: `${outOfDistribution}: ${statement} (AUROC)`,
          ...(i === 0 && outOfDistribution === "held-out classes" ? PAPER : PROJECT),
        },
        isAhead,
        arms.over(detectorArm(better), [detectorArm(than)], AUROC),
      ),
    );
  });
}

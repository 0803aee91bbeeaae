import type { ResolvedDatasetSource } from "../../../datasets/source.js";
import type { RunSpec } from "../../../experiments/specs/spec.js";
import { anytimeArms } from "../../evidence/anytime-models.js";
import { decided } from "../../evidence/finding.js";
import { FULL_CHANGE, FULL_SEEDS } from "../../full.js";
import { presetTrainings } from "../../preset-trainings.js";
import { QUICK_CHANGE } from "../../quick.js";
import { SETTLED_CHANGE, SETTLED_NARROW_CHANGE, SETTLED_SEEDS } from "../../settled.js";
import type { ProtocolName, Study, StudyResult, StudySettings } from "../../study.js";
import { anytimeSeries, numberRows } from "../../evidence/numbers.js";
import type { StudyContext } from "../../study-context.js";
import { figuresOf } from "./figures.js";
import { findingsOf } from "./findings.js";
import { analyseLongerTraining, type LongerTraining, longerTrainings } from "./longer-training.js";
import { armOf, MODELS, sweepOf } from "./sweep.js";
import { tablesOf } from "./tables.js";
import { combined } from "../../../experiments/specs/spec-change.js";
import { REDUCED_CHANGE, REDUCED_NARROW_CHANGE, REDUCED_SEEDS } from "../../reduced.js";

export interface LambdaSettings extends StudySettings {
  /** 0 and 1 among them: the findings compare them. */
  readonly lambdas: readonly number[];
  /** Besides the sweep; null where that is large itself. */
  readonly longer: LongerTraining | null;
}

const LAMBDAS = [0, 0.25, 0.5, 0.75, 0.9, 1];

/**
 * What is trained and measured at each protocol: seeds, the lambdas of the sweep, and the longer training in which
 * its ends are compared.
 */
export const LAMBDA_SETTINGS: Readonly<Record<ProtocolName, LambdaSettings>> = {
  quick: {
    seeds: [0],
    change: QUICK_CHANGE,
    lambdas: [0, 1],
    longer: { seeds: [0], change: combined(QUICK_CHANGE, { train: { epochs: 2 } }) },
  },
  reduced: {
    seeds: REDUCED_SEEDS,
    change: REDUCED_NARROW_CHANGE,
    lambdas: LAMBDAS,
    // As the six models are trained, so that half of these trainings are theirs.
    longer: { seeds: REDUCED_SEEDS, change: REDUCED_CHANGE },
  },
  settled: {
    seeds: [0, 1, 2],
    change: SETTLED_NARROW_CHANGE,
    lambdas: [0, 0.5, 0.9, 1],
    longer: { seeds: SETTLED_SEEDS, change: SETTLED_CHANGE },
  },
  full: { seeds: FULL_SEEDS, change: FULL_CHANGE, lambdas: LAMBDAS, longer: null },
};

/** TD(lambda) between the next step's belief and the label, for both schemes with one head and with many. */
export const lambdaStudy: Study<LambdaSettings> = {
  name: "lambda",
  title: "What lambda does to speed and accuracy",
  claim:
    "A temporal-difference loss gives a better speed-accuracy profile than cross-entropy at every step; the paper's " +
    "main figure has lambda = 0 (the next step's belief) for the cascaded models and lambda = 1 (the label) for the " +
    "serial ones.",
  trainings: (settings, data) => [
    ...sweepTrainings(settings, data),
    ...(settings.longer === null ? [] : longerTrainings(settings.longer, data)),
  ],
  analyse: analyseLambda,
};

function sweepTrainings(settings: LambdaSettings, data: ResolvedDatasetSource): RunSpec[] {
  const presets = MODELS.map(({ preset }) => preset);
  return settings.seeds.flatMap((seed) =>
    settings.lambdas.flatMap((lambda) => {
      const change = combined(settings.change, { loss: { lambda: lambda } });
      return presetTrainings(presets, { seeds: [seed], change }, data);
    }),
  );
}

async function analyseLambda(settings: LambdaSettings, context: StudyContext): Promise<StudyResult> {
  const specs = sweepTrainings(settings, context.data);
  const arms = await anytimeArms(specs, context, (model, { loss }) => armOf(model, loss.lambda));
  const sweep = sweepOf(arms, settings.lambdas);
  const longer = settings.longer === null ? undefined : await analyseLongerTraining(settings.longer, context);
  return {
    findings: decided([...findingsOf(sweep), ...(longer?.findings ?? [])]),
    tables: [...tablesOf(sweep), ...(longer?.tables ?? [])],
    figures: figuresOf(sweep),
    numbers: [...numberRows(sweep.arms, anytimeSeries, "sweep"), ...(longer?.numbers ?? [])],
  };
}

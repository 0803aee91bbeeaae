import type { ResolvedDatasetSource } from "../../../datasets/source.js";
import type { PresetName } from "../../../experiments/specs/presets.js";
import type { RunSpec } from "../../../experiments/specs/spec.js";
import { anytimeArms, type AnytimeModel } from "../../evidence/anytime-models.js";
import { decided, type Draft, finding } from "../../evidence/finding.js";
import type { PairedArms } from "../../evidence/paired-arms.js";
import { accuracyAt, areaOverTime, lastStep, USUAL_QUANTITIES } from "../../evidence/quantities.js";
import { isAhead, isSame, SAME_POINTS } from "../../evidence/rules.js";
import { changeCells, runRows } from "../../evidence/tables.js";
import { FULL_CHANGE, FULL_SEEDS } from "../../full.js";
import { presetTrainings } from "../../preset-trainings.js";
import { QUICK_CHANGE } from "../../quick.js";
import { SETTLED_NARROW_CHANGE } from "../../settled.js";
import type { ProtocolName, Study, StudyResult, StudySettings } from "../../study.js";
import { anytimeSeries, numberRows } from "../../evidence/numbers.js";
import type { StudyContext } from "../../study-context.js";
import { combined } from "../../../experiments/specs/spec-change.js";
import { CASCADED_TD, SERIAL_TD_MULTIHEAD } from "../../evidence/model-names.js";
import { REDUCED_NARROW_CHANGE, REDUCED_SEEDS } from "../../reduced.js";

/** What is trained and measured at each protocol: seeds, and changes to the presets. */
export const NORM_CONSTANTS_SETTINGS: Readonly<Record<ProtocolName, StudySettings>> = {
  quick: { seeds: [0], change: QUICK_CHANGE },
  reduced: {
    seeds: REDUCED_SEEDS,
    change: REDUCED_NARROW_CHANGE,
  },
  settled: { seeds: [0, 1, 2], change: SETTLED_NARROW_CHANGE },
  full: { seeds: FULL_SEEDS, change: FULL_CHANGE },
};

interface Constants {
  readonly epsilon: number;
  readonly momentum: number;
}

const USUAL: Constants = { epsilon: 1e-5, momentum: 0.1 };
const PUBLISHED: Constants = { epsilon: 0.1, momentum: 1 };
const ALL: readonly Constants[] = [
  USUAL,
  { ...USUAL, epsilon: PUBLISHED.epsilon },
  { ...USUAL, momentum: PUBLISHED.momentum },
  PUBLISHED,
];

const MODELS: readonly { readonly model: string; readonly preset: PresetName }[] = [
  { model: CASCADED_TD, preset: "cascaded-td" },
  { model: SERIAL_TD_MULTIHEAD, preset: "serial-td-multihead" },
];

const EARLY_STEP = 3;

/** Whether the batch-norm constants of the published code, which are there by a slip, make the published result. */
export const normConstantsStudy: Study = {
  name: "norm-constants",
  title: "Batch-norm constants of the published code",
  claim:
    "The published code gives its time-indexed batch norm, by two shifted arguments, an epsilon of 0.1 and a momentum " +
    "of 1, in place of 1e-5 and 0.1; the paper's results come with that. They do not depend on it.",
  trainings: constantsTrainings,
  handlesDivergence: true,
  analyse: analyseConstants,
};

function constantsTrainings(settings: StudySettings, data: ResolvedDatasetSource): RunSpec[] {
  return ALL.flatMap((constants) => trainingsWith(constants, settings, data));
}

function trainingsWith(
  { epsilon, momentum }: Constants,
  { seeds, change }: StudySettings,
  data: ResolvedDatasetSource,
): RunSpec[] {
  const changed = combined(change, { network: { epsilon: epsilon, momentum: momentum } });
  const presets = MODELS.map(({ preset }) => preset);
  return presetTrainings(presets, { seeds, change: changed }, data);
}

async function analyseConstants(settings: StudySettings, context: StudyContext): Promise<StudyResult> {
  const specs = constantsTrainings(settings, context.data);
  const arms = await anytimeArms(specs, context, (model, { network }) => armOf(model, network));
  const numbers = numberRows(arms, anytimeSeries);
  return { findings: decided(constantsFindings(arms)), tables: tablesOf(arms), figures: [], numbers };
}

export const armOf = (model: string, { epsilon, momentum }: Constants): string =>
  `${model}, ε = ${epsilon}, momentum = ${momentum}`;

/** Arms: each model with each pair of constants, as `armOf` names them. */
export function constantsFindings(arms: PairedArms<AnytimeModel>): Draft[] {
  return [...sensitivity(arms), sameOrder(arms)];
}

/** End points are what is said of the paper's figures: the last step and the area. */
function sensitivity(arms: PairedArms<AnytimeModel>): Draft[] {
  return MODELS.flatMap(({ model }) =>
    USUAL_QUANTITIES.map((quantity) =>
      finding(
        {
          statement: `${model}, ${quantity.name}: the published constants change accuracy by less than ${SAME_POINTS} point`,
          by: "project",
          ...((quantity === lastStep || quantity === areaOverTime) && { carries: true }),
        },
        isSame(SAME_POINTS),
        arms.over(armOf(model, PUBLISHED), [armOf(model, USUAL)], quantity),
      ),
    ),
  );
}

/** The cascaded model leads the serial one at t = 3 with both pairs of constants. */
function sameOrder(arms: PairedArms<AnytimeModel>): Draft {
  return finding(
    {
      statement: `${CASCADED_TD} is ahead of ${SERIAL_TD_MULTIHEAD} at t = ${EARLY_STEP} with both pairs of constants`,
      by: "project",
      carries: true,
    },
    isAhead,
    [USUAL, PUBLISHED].flatMap((constants) =>
      arms.over(
        armOf(CASCADED_TD, constants),
        [armOf(SERIAL_TD_MULTIHEAD, constants)],
        accuracyAt(EARLY_STEP),
      ),
    ),
  );
}

function tablesOf(arms: PairedArms<AnytimeModel>): StudyResult["tables"] {
  return [
    {
      name: "constants",
      title:
        "Accuracy in %, mean ± standard error over n seeds; in brackets the paired difference to the usual constants",
      rows: MODELS.flatMap(({ model }) =>
        ALL.map((constants) => ({
          model,
          epsilon: constants.epsilon,
          momentum: constants.momentum,
          ...changeCells(arms, armOf(model, constants), armOf(model, USUAL), USUAL_QUANTITIES),
          n: arms.seeds.length,
        })),
      ),
    },
    { name: "runs", title: "Every run: accuracy at each timestep", rows: runRows(arms) },
  ];
}

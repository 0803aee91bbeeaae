import type { ResolvedDatasetSource } from "../../../datasets/source.js";
import type { PresetName } from "../../../experiments/specs/presets.js";
import type { RunSpec } from "../../../experiments/specs/spec.js";
import { type AnytimeMeasures, anytimeMeasures } from "../../evidence/anytime-measures.js";
import { accuracyAt, changeCells, JUDGED, runRows } from "../../evidence/changed-arms.js";
import { FULL_OVERRIDES } from "../../full.js";
import { differenceAndError } from "../../evidence/mean-and-error.js";
import { type ArmResult, PairedArms } from "../../evidence/paired-arms.js";
import { presetTrainings } from "../../preset-trainings.js";
import { QUICK_OVERRIDES } from "../../quick.js";
import type { Finding, ProtocolName, Study, StudyContext, StudyResult, StudySettings } from "../../study.js";

/** What is trained and measured at each protocol: seeds, and changes to the presets. */
export const NORM_CONSTANTS_SETTINGS: Readonly<Record<ProtocolName, StudySettings>> = {
  quick: { seeds: [0], overrides: QUICK_OVERRIDES },
  reduced: {
    seeds: [0, 1, 2],
    overrides: ["network.width=0.125", "trainImages=10000", "train.epochs=3"],
  },
  full: { seeds: [0, 1, 2, 3, 4], overrides: FULL_OVERRIDES },
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

const CASCADED = "CascadedTD";
const SERIAL = "SerialTD-MultiHead";
const MODELS: readonly { readonly model: string; readonly preset: PresetName }[] = [
  { model: CASCADED, preset: "cascaded-td" },
  { model: SERIAL, preset: "serial-td-multihead" },
];

/** A difference below so many points does not change what the paper says. */
const SMALL_POINTS = 1;
const EARLY = 3;

/** Whether the batch-norm constants of the published code, which are there by a slip, make the published result. */
export const normConstantsStudy: Study = {
  name: "norm-constants",
  title: "Batch-norm constants of the published code",
  claim:
    "The published code gives its time-indexed batch norm, by two shifted arguments, an epsilon of 0.1 and a momentum " +
    "of 1, in place of 1e-5 and 0.1; the paper's results come with that. Are they sensitive to it?",
  trainings: constantsTrainings,
  analyse: analyseConstants,
};

function constantsTrainings(settings: StudySettings, data: ResolvedDatasetSource): RunSpec[] {
  return ALL.flatMap((constants) => trainingsWith(constants, settings, data));
}

function trainingsWith(
  { epsilon, momentum }: Constants,
  { seeds, overrides }: StudySettings,
  data: ResolvedDatasetSource,
): RunSpec[] {
  const changed = [...overrides, `network.epsilon=${epsilon}`, `network.momentum=${momentum}`];
  const presets = MODELS.map(({ preset }) => preset);
  return presetTrainings(presets, { seeds, overrides: changed }, data);
}

async function analyseConstants(settings: StudySettings, context: StudyContext): Promise<StudyResult> {
  const results: ArmResult<AnytimeMeasures>[] = [];
  for (const spec of constantsTrainings(settings, context.data)) {
    const measured = await anytimeMeasures(spec, context);
    results.push({ arm: armOf(measured.model, spec.network), seed: spec.seed, measured });
  }
  const paired = new PairedArms(results);
  return { findings: findingsOf(paired), tables: tablesOf(paired, results), figures: [] };
}

const armOf = (model: string, { epsilon, momentum }: Constants): string =>
  `${model}, ε = ${epsilon}, momentum = ${momentum}`;

function findingsOf(paired: PairedArms<AnytimeMeasures>): Finding[] {
  return [
    ...MODELS.flatMap(({ model }) =>
      JUDGED.map(({ name, quantity }) => {
        const changes = paired.lead(armOf(model, PUBLISHED), armOf(model, USUAL), quantity);
        return {
          statement: `${model}, ${name}: the published constants change accuracy by less than ${SMALL_POINTS} point (rule: in every seed)`,
          measured: `${differenceAndError(changes)} points; n = ${changes.length}`,
          comesOut: changes.every((change) => Math.abs(change) < SMALL_POINTS),
        };
      }),
    ),
    sameOrder(paired),
  ];
}

/** Holds if the cascaded model leads the serial one at t = 3 with both pairs of constants. */
function sameOrder(paired: PairedArms<AnytimeMeasures>): Finding {
  const lead = (constants: Constants): number[] =>
    paired.lead(armOf(CASCADED, constants), armOf(SERIAL, constants), accuracyAt(EARLY));
  const both = [USUAL, PUBLISHED].map(lead);
  return {
    statement: `${CASCADED} is ahead of ${SERIAL} at t = ${EARLY} with both pairs of constants (rule: in every seed)`,
    measured: `${both.map((bySeed) => differenceAndError(bySeed)).join(" with the usual constants, ")} points with the published ones; n = ${paired.seeds.length}`,
    comesOut: both.flat().every((difference) => difference > 0),
  };
}

function tablesOf(
  paired: PairedArms<AnytimeMeasures>,
  results: readonly ArmResult<AnytimeMeasures>[],
): StudyResult["tables"] {
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
          ...changeCells(paired, armOf(model, constants), armOf(model, USUAL)),
          n: paired.seeds.length,
        })),
      ),
    },
    { name: "runs", title: "Every run: accuracy at each timestep", rows: runRows(results) },
  ];
}

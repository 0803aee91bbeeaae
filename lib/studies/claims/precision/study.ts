import type { ResolvedDatasetSource } from "../../../datasets/source.js";
import type { PresetName } from "../../../experiments/specs/presets.js";
import type { RunSpec } from "../../../experiments/specs/spec.js";
import { hasOwnKernels } from "../../../nn/backend/kernel-level.js";
import { anytimeArms, type AnytimeModel } from "../../evidence/anytime-models.js";
import { decided, type Draft, finding } from "../../evidence/finding.js";
import type { PairedArms } from "../../evidence/paired-arms.js";
import { USUAL_QUANTITIES } from "../../evidence/quantities.js";
import { isSame, SAME_POINTS } from "../../evidence/rules.js";
import { changeCells, runRows } from "../../evidence/tables.js";
import { FULL_CHANGE, FULL_SEEDS } from "../../full.js";
import { presetTrainings } from "../../preset-trainings.js";
import { QUICK_CHANGE } from "../../quick.js";
import { SETTLED_CHANGE, SETTLED_SEEDS } from "../../settled.js";
import type { ProtocolName, Study, StudyResult, StudySettings } from "../../study.js";
import { anytimeSeries, numberRows } from "../../evidence/numbers.js";
import type { StudyContext } from "../../study-context.js";
import { combined } from "../../../experiments/specs/spec-change.js";
import { CASCADED_TD } from "../../evidence/model-names.js";
import { REDUCED_CHANGE, REDUCED_SEEDS } from "../../reduced.js";

/** What is trained and measured at each protocol: seeds, and changes to the preset. */
export const PRECISION_SETTINGS: Readonly<Record<ProtocolName, StudySettings>> = {
  quick: { seeds: [0], change: QUICK_CHANGE },
  // The six models' size: their CascadedTD is the one in float32.
  reduced: { seeds: REDUCED_SEEDS, change: REDUCED_CHANGE },
  settled: { seeds: SETTLED_SEEDS, change: SETTLED_CHANGE },
  full: { seeds: FULL_SEEDS, change: FULL_CHANGE },
};

const PRESET: PresetName = "cascaded-td";

const PRECISIONS = ["float32", "mixed"] as const;
type TrainedPrecision = (typeof PRECISIONS)[number];

/** Whether whole trainings in mixed precision end where those in float32 do. */
export const precisionStudy: Study = {
  name: "precision",
  title: "Training in mixed precision",
  claim:
    "Not the paper's, but of this project: trained with activations and gradients in bfloat16, with weights, statistics " +
    "and loss in float32, a network is as accurate at every moment as trained in float32, to within a point.",
  trainings: (settings, data) => PRECISIONS.flatMap((precision) => trainingsIn(precision, settings, data)),
  handlesDivergence: true,
  analyse: analysePrecision,
  cannotRun: () =>
    hasOwnKernels
      ? undefined
      : "mixed precision needs the project's own kernels, which are not compiled here",
};

function trainingsIn(
  precision: TrainedPrecision,
  { seeds, change }: StudySettings,
  data: ResolvedDatasetSource,
): RunSpec[] {
  const changed = precision === "mixed" ? combined(change, { train: { precision: "mixed" } }) : change;
  return presetTrainings([PRESET], { seeds, change: changed }, data);
}

async function analysePrecision(settings: StudySettings, context: StudyContext): Promise<StudyResult> {
  const specs = PRECISIONS.flatMap((precision) => trainingsIn(precision, settings, context.data));
  const arms = await anytimeArms(specs, context, (_, { train }) => train.precision ?? "float32");
  const numbers = numberRows(arms, anytimeSeries);
  return { findings: decided(precisionFindings(arms)), tables: tablesOf(arms), figures: [], numbers };
}

/** Arms: "float32" and "mixed". */
export function precisionFindings(arms: PairedArms<AnytimeModel>): Draft[] {
  return USUAL_QUANTITIES.map((quantity) =>
    finding(
      {
        statement: `${CASCADED_TD}, ${quantity.name}: mixed precision is as accurate as float32`,
        by: "project",
        carries: true,
      },
      isSame(SAME_POINTS),
      arms.over("mixed", ["float32"], quantity),
    ),
  );
}

function tablesOf(arms: PairedArms<AnytimeModel>): StudyResult["tables"] {
  return [
    {
      name: "precision",
      title:
        "CascadedTD: accuracy in %, mean ± standard error over n seeds; in brackets the paired difference to float32",
      rows: PRECISIONS.map((precision) => ({
        precision,
        ...changeCells(arms, precision, "float32", USUAL_QUANTITIES),
        n: arms.seeds.length,
      })),
    },
    { name: "runs", title: "Every run: accuracy at each timestep", rows: runRows(arms) },
  ];
}

import type { ResolvedDatasetSource } from "../../../datasets/source.js";
import type { PresetName } from "../../../experiments/specs/presets.js";
import type { RunSpec } from "../../../experiments/specs/spec.js";
import { hasOwnKernels } from "../../../nn/backend/kernel-level.js";
import { mean, standardError } from "../../../util/statistics.js";
import { type AnytimeMeasures, anytimeMeasures } from "../../evidence/anytime-measures.js";
import { changeCells, JUDGED, type Judged, runRows } from "../../evidence/changed-arms.js";
import { FULL_OVERRIDES } from "../../full.js";
import { differenceAndError } from "../../evidence/mean-and-error.js";
import { type ArmResult, PairedArms } from "../../evidence/paired-arms.js";
import { presetTrainings } from "../../preset-trainings.js";
import { QUICK_OVERRIDES } from "../../quick.js";
import type { Finding, ProtocolName, Study, StudyContext, StudyResult, StudySettings } from "../../study.js";

/** What is trained and measured at each protocol: seeds, and changes to the preset. */
export const PRECISION_SETTINGS: Readonly<Record<ProtocolName, StudySettings>> = {
  quick: { seeds: [0], overrides: QUICK_OVERRIDES },
  // The six models' size: their CascadedTD is the one in float32.
  reduced: { seeds: [0, 1, 2], overrides: ["train.epochs=5"] },
  full: { seeds: [0, 1, 2, 3, 4], overrides: FULL_OVERRIDES },
};

const MODEL = "CascadedTD";
const PRESET: PresetName = "cascaded-td";

const PRECISIONS = ["float32", "mixed"] as const;
type TrainedPrecision = (typeof PRECISIONS)[number];

/** A difference of so many points would matter. */
const SMALL_POINTS = 1;
const RULE = `rule: on average within ${SMALL_POINTS} point and within two standard errors of the paired difference`;

/** Whether whole trainings in mixed precision end where those in float32 do. */
export const precisionStudy: Study = {
  name: "precision",
  title: "Training in mixed precision",
  claim:
    "Not the paper's, but of this project: trained with activations and gradients in bfloat16, with weights, statistics " +
    "and loss in float32, a network is as accurate at every moment as trained in float32, up to what seeds differ by.",
  trainings: (settings, data) => PRECISIONS.flatMap((precision) => trainingsIn(precision, settings, data)),
  analyse: analysePrecision,
  cannotRun: () =>
    hasOwnKernels
      ? undefined
      : "mixed precision needs the project's own kernels, which are not compiled here",
};

function trainingsIn(
  precision: TrainedPrecision,
  { seeds, overrides }: StudySettings,
  data: ResolvedDatasetSource,
): RunSpec[] {
  const changed = precision === "mixed" ? [...overrides, "train.precision=mixed"] : overrides;
  return presetTrainings([PRESET], { seeds, overrides: changed }, data);
}

async function analysePrecision(settings: StudySettings, context: StudyContext): Promise<StudyResult> {
  const results: ArmResult<AnytimeMeasures>[] = [];
  for (const precision of PRECISIONS)
    for (const spec of trainingsIn(precision, settings, context.data)) {
      const measured = await anytimeMeasures(spec, context);
      results.push({ arm: precision, seed: spec.seed, measured });
    }
  const paired = new PairedArms(results);
  return { findings: findingsOf(paired), tables: tablesOf(paired, results), figures: [] };
}

const changesOf = (paired: PairedArms<AnytimeMeasures>, quantity: Judged): number[] =>
  paired.lead("mixed", "float32", quantity);

function findingsOf(paired: PairedArms<AnytimeMeasures>): Finding[] {
  return JUDGED.map(({ name, quantity }) => {
    const changes = changesOf(paired, quantity);
    return {
      statement: `${MODEL}, ${name}: mixed precision changes accuracy by no more than chance (${RULE})`,
      measured: `${differenceAndError(changes, 2)} points; n = ${changes.length}`,
      comesOut:
        Math.abs(mean(changes)) < SMALL_POINTS && Math.abs(mean(changes)) <= 2 * standardError(changes),
    };
  });
}

function tablesOf(
  paired: PairedArms<AnytimeMeasures>,
  results: readonly ArmResult<AnytimeMeasures>[],
): StudyResult["tables"] {
  return [
    {
      name: "precision",
      title:
        "CascadedTD: accuracy in %, mean ± standard error over n seeds; in brackets the paired difference to float32",
      rows: PRECISIONS.map((precision) => ({
        precision,
        ...changeCells(paired, precision, "float32"),
        n: paired.seeds.length,
      })),
    },
    { name: "runs", title: "Every run: accuracy at each timestep", rows: runRows(results) },
  ];
}

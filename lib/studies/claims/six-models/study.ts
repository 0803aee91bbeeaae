import { divergedSummary } from "../../../experiments/runs/divergence.js";
import type { RunSpec } from "../../../experiments/specs/spec.js";
import type { PresetName } from "../../../experiments/specs/presets.js";
import { anytimeArms } from "../../evidence/anytime-models.js";
import { anytimeSeries, numberRows } from "../../evidence/numbers.js";
import { decided } from "../../evidence/finding.js";
import { FULL_CHANGE, FULL_SEEDS } from "../../full.js";
import { presetTrainings } from "../../preset-trainings.js";
import { QUICK_CHANGE } from "../../quick.js";
import { SETTLED_CHANGE, SETTLED_SEEDS } from "../../settled.js";
import type { ProtocolName, Study, StudyResult, StudySettings } from "../../study.js";
import type { StudyContext } from "../../study-context.js";
import { figuresOf } from "./figures.js";
import { findingsOf } from "./findings.js";
import { measuredMilliseconds } from "../../evidence/milliseconds.js";
import { sixModels } from "./models.js";
import { tablesOf } from "./tables.js";
import { REDUCED_CHANGE } from "../../reduced.js";

export interface SixModelsSettings extends StudySettings {
  /** How often the time to each answer is measured; the median counts. */
  readonly timings: number;
}

/**
 * What is trained and measured at each protocol: seeds, changes to the presets, and how often the time to an
 * answer is measured.
 */
export const SIX_MODELS_SETTINGS: Readonly<Record<ProtocolName, SixModelsSettings>> = {
  quick: { seeds: [0], change: QUICK_CHANGE, timings: 2 },
  reduced: { seeds: [0, 1, 2, 3, 4], change: REDUCED_CHANGE, timings: 100 },
  settled: { seeds: SETTLED_SEEDS, change: SETTLED_CHANGE, timings: 100 },
  full: { seeds: FULL_SEEDS, change: FULL_CHANGE, timings: 100 },
};

/** Five trainings give the six models; a Shallow-Deep Network with its own exit weights stands beside them. */
const TRAININGS: readonly PresetName[] = [
  "cascaded-td",
  "cascaded-td-multihead",
  "cascaded-ce",
  "serial-td",
  "serial-td-multihead",
  "shallow-deep-network",
];

/** Six models, one network: accuracy against timesteps, multiply-adds and measured time. */
export const sixModelsStudy: Study<SixModelsSettings> = {
  name: "six-models",
  title: "Speed and accuracy of the six models",
  claim:
    "A ResNet whose blocks update in parallel gives anytime predictions, and trained with the temporal-difference " +
    "loss it is more accurate at equal speed than trained with cross-entropy and than serial anytime networks such as " +
    "SDN (SerialTD-MultiHead), which it also beats at the last step, where it is as accurate as an ordinary network. " +
    "One head suffices in the parallel scheme; the serial one needs a head for each timestep.",
  trainings: (settings, data) => presetTrainings(TRAININGS, settings, data),
  handlesDivergence: true,
  analyse: analyseSixModels,
};

async function analyseSixModels(settings: SixModelsSettings, context: StudyContext): Promise<StudyResult> {
  const specs = presetTrainings(TRAININGS, settings, context.data);
  const milliseconds = await measuredMilliseconds(oneOfEach(specs, context), settings.timings, context);
  const arms = await anytimeArms(specs, context, (model) => model, milliseconds);
  const study = sixModels(arms, context.paperFigure(specs));
  return {
    findings: decided(findingsOf(study)),
    tables: tablesOf(study),
    figures: figuresOf(study),
    numbers: numberRows(study.arms, anytimeSeries),
  };
}

/** The time to an answer depends on a network's shape, not on its weights: those of one seed will do. */
function oneOfEach(specs: readonly RunSpec[], context: StudyContext): RunSpec[] {
  return TRAININGS.flatMap((_, place) => {
    const ofPreset = specs.filter((_spec, i) => i % TRAININGS.length === place);
    return ofPreset.find((spec) => divergedSummary(context.run(spec)) === null) ?? [];
  });
}

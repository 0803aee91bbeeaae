import type { PresetName } from "../../../experiments/specs/presets.js";
import type { RunSpec } from "../../../experiments/specs/spec.js";
import { decided } from "../../evidence/finding.js";
import { type ArmResult, PairedArms } from "../../evidence/paired-arms.js";
import { FULL_CHANGE, FULL_SEEDS } from "../../full.js";
import { presetTrainings } from "../../preset-trainings.js";
import { QUICK_CHANGE } from "../../quick.js";
import { SETTLED_CHANGE, SETTLED_SEEDS } from "../../settled.js";
import type { ProtocolName, Study, StudyResult, StudySettings } from "../../study.js";
import { numberRows, type NumberSeries, overTimeSeries } from "../../evidence/numbers.js";
import type { StudyContext } from "../../study-context.js";
import { evaluateUnderNoise, type NoiseEvaluationSettings, type NoisyModel } from "./evaluation.js";
import { figuresOf } from "./figures.js";
import { type Augmentation, AUGMENTATIONS, noiseFindings, TRAINED } from "./findings.js";
import { tablesOf } from "./tables.js";
import { combined } from "../../../experiments/specs/spec-change.js";
import { REDUCED_CHANGE, REDUCED_SEEDS } from "../../reduced.js";

export interface NoiseSettings extends StudySettings, NoiseEvaluationSettings {
  /** Side in pixels of the patch of the trainings with occlusion. */
  readonly occlusion: number;
  /** Which trainings are compared; those with occlusion double the cost. */
  readonly trainings: readonly Augmentation[];
}

/** What is trained and measured at each protocol: seeds, images, and the trainings that the noises are tried on. */
export const NOISE_SETTINGS: Readonly<Record<ProtocolName, NoiseSettings>> = {
  quick: {
    seeds: [0],
    change: QUICK_CHANGE,
    occlusion: 8,
    images: 40,
    noiseSeed: 0,
    trainings: AUGMENTATIONS,
  },
  reduced: {
    seeds: REDUCED_SEEDS,
    change: REDUCED_CHANGE,
    occlusion: 16,
    images: 1000,
    noiseSeed: 0,
    trainings: AUGMENTATIONS,
  },
  settled: {
    seeds: SETTLED_SEEDS,
    change: SETTLED_CHANGE,
    occlusion: 16,
    images: null,
    noiseSeed: 0,
    trainings: ["occluded"],
  },
  full: {
    seeds: FULL_SEEDS,
    change: FULL_CHANGE,
    occlusion: 16,
    images: null,
    noiseSeed: 0,
    trainings: AUGMENTATIONS,
  },
};

/** Three trainings give four models. */
const PRESETS: readonly PresetName[] = ["cascaded-td", "cascaded-ce", "serial-td-multihead"];

/** Accuracy under persistent and transient noise, absolute and beside each model's own clean accuracy. */
export const noiseStudy: Study<NoiseSettings> = {
  name: "noise",
  title: "Robustness to persistent and transient noise",
  claim:
    "A cascaded network trained with the temporal-difference loss is more robust to persistent and to transient " +
    "noise than a conventional ResNet.",
  trainings: (settings, data) =>
    settings.trainings.flatMap((training) => presetTrainings(PRESETS, settingsOf(training, settings), data)),
  analyse: analyseNoise,
};

function settingsOf(training: Augmentation, settings: NoiseSettings): NoiseSettings {
  const patch = training === "clean" ? 0 : settings.occlusion;
  return {
    ...settings,
    change: combined(settings.change, { train: { augmentation: { occlusion: patch } } }),
  };
}

async function analyseNoise(settings: NoiseSettings, context: StudyContext): Promise<StudyResult> {
  const evaluated = new Map<Augmentation, PairedArms<NoisyModel>>();
  for (const training of settings.trainings) {
    const specs = presetTrainings(PRESETS, settingsOf(training, settings), context.data);
    evaluated.set(training, await noisyArms(specs, settings, context));
  }
  return {
    findings: decided(noiseFindings(evaluated)),
    tables: tablesOf(evaluated),
    figures: await figuresOf(evaluated, settings, context),
    numbers: [...evaluated].flatMap(([training, arms]) => numberRows(arms, noisySeries, TRAINED[training])),
  };
}

function noisySeries({ results }: NoisyModel): NumberSeries[] {
  return results.map(({ noise, schedule, accuracy }) =>
    overTimeSeries(noise === "none" ? "accuracy" : `accuracy, ${schedule} ${noise}`, accuracy),
  );
}

async function noisyArms(
  specs: readonly RunSpec[],
  settings: NoiseSettings,
  context: StudyContext,
): Promise<PairedArms<NoisyModel>> {
  const results: ArmResult<NoisyModel>[] = [];
  for (const spec of specs)
    for (const measured of await evaluateUnderNoise(spec, settings, context))
      results.push({ arm: measured.model, seed: measured.seed, measured });
  return PairedArms.grouped(results);
}

import { from } from "arquero";
import { displayedPixels, normalisedImage } from "../../../datasets/batches.js";
import type { Dataset } from "../../../datasets/dataset.js";
import { valuesPerImage } from "../../../util/image-size.js";
import { channelStatistics } from "../../../datasets/statistics.js";
import type { PresetName } from "../../../experiments/specs/presets.js";
import type { RunSpec } from "../../../experiments/specs/spec.js";
import { accuracyUnderNoiseFigure } from "../../../figures/accuracy-under-noise.js";
import type { PlotlyFigure } from "../../../figures/figure.js";
import { noiseDropFigure } from "../../../figures/noise-drop.js";
import { type NoisePicture, noisePicturesFigure } from "../../../figures/noise-pictures.js";
import { speedAccuracyUnderNoiseFigure } from "../../../figures/speed-accuracy-under-noise.js";
import { NOISE_NAMES } from "../../../noise/noises.js";
import { disturbedFrames } from "../../../noise/schedule.js";
import { mean, standardError } from "../../../util/statistics.js";
import { FULL_OVERRIDES } from "../../full.js";
import { meanAndError } from "../../evidence/mean-and-error.js";
import { accuracyAt, measured, MOMENTS, resultUnder } from "./comparison.js";
import {
  CONDITIONS,
  evaluateUnderNoise,
  type NoiseEvaluationSettings,
  type NoisyModel,
  SCHEDULES,
} from "./evaluation.js";
import {
  type Comparison,
  comparisonsOf,
  type Evaluated,
  noiseFindings,
  OPPONENTS,
  pointsAndError,
  TESTED,
  TRAINED,
  type Training,
  TRAININGS,
} from "./findings.js";
import { leads } from "../../evidence/paired-arms.js";
import { presetTrainings } from "../../preset-trainings.js";
import { QUICK_OVERRIDES } from "../../quick.js";
import type { ProtocolName, Study, StudyContext, StudyResult, StudySettings, TableRow } from "../../study.js";

export interface NoiseSettings extends StudySettings, NoiseEvaluationSettings {
  /** Side in pixels of the patch of the trainings with occlusion. */
  readonly occlusion: number;
  /** Which trainings are compared; those with occlusion double the cost. */
  readonly trainings: readonly Training[];
}

/** What is trained and measured at each protocol: seeds, images, and the trainings that the noises are tried on. */
export const NOISE_SETTINGS: Readonly<Record<ProtocolName, NoiseSettings>> = {
  quick: {
    seeds: [0],
    overrides: QUICK_OVERRIDES,
    occlusion: 8,
    images: 40,
    noiseSeed: 0,
    trainings: TRAININGS,
  },
  reduced: {
    seeds: [0, 1, 2],
    overrides: ["train.epochs=5"],
    occlusion: 16,
    images: 1000,
    noiseSeed: 0,
    trainings: TRAININGS,
  },
  full: {
    seeds: [0, 1, 2, 3, 4],
    overrides: FULL_OVERRIDES,
    occlusion: 16,
    images: null,
    noiseSeed: 0,
    trainings: TRAININGS,
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

function settingsOf(training: Training, settings: NoiseSettings): NoiseSettings {
  const patch = training === "clean" ? 0 : settings.occlusion;
  return { ...settings, overrides: [...settings.overrides, `train.augmentation.occlusion=${patch}`] };
}

async function analyseNoise(settings: NoiseSettings, context: StudyContext): Promise<StudyResult> {
  const evaluated = new Map<Training, readonly NoisyModel[]>();
  for (const training of settings.trainings) {
    const specs = presetTrainings(PRESETS, settingsOf(training, settings), context.data);
    evaluated.set(training, await evaluateAll(specs, settings, context));
  }
  return {
    findings: noiseFindings(evaluated),
    tables: tablesOf(evaluated),
    figures: await figuresOf(evaluated, settings, context),
  };
}

async function evaluateAll(
  specs: readonly RunSpec[],
  settings: NoiseSettings,
  context: StudyContext,
): Promise<NoisyModel[]> {
  const models: NoisyModel[] = [];
  for (const spec of specs) models.push(...(await evaluateUnderNoise(spec, settings, context)));
  return models;
}

function tablesOf(evaluated: Evaluated): StudyResult["tables"] {
  return [
    ...[...evaluated].map(([training, models]) => ({
      name: `noise-accuracy-${training}`,
      title:
        `Accuracy in % at the last step, and in brackets over time (area), ${TRAINED[training]}: ` +
        "mean over seeds ± standard error",
      rows: accuracyRows(models),
    })),
    {
      name: "comparisons",
      title:
        `What ${TESTED} is ahead of each other model, in percentage points of accuracy, or of the share of clean ` +
        "accuracy that is lost: mean over seeds ± standard error, with + where it exceeds the error",
      rows: comparisonsOf(evaluated).map(comparisonRow),
    },
    {
      name: "schedules",
      title:
        "Accuracy at the last step under transient less that under persistent noise, in percentage points: mean over " +
        "seeds ± standard error, with + where it exceeds the error",
      rows: [...evaluated].flatMap(([training, models]) => scheduleRows(training, models)),
    },
    {
      name: "all-conditions",
      title: "All numbers, as shares: means over n seeds with standard errors (se)",
      rows: [...evaluated].flatMap(([training, models]) => allRows(training, models)),
    },
  ];
}

function accuracyRows(models: readonly NoisyModel[]): TableRow[] {
  return CONDITIONS.map((condition) => ({
    noise: condition.noise,
    schedule: condition.schedule,
    ...Object.fromEntries(
      [TESTED, ...OPPONENTS].map((name) => {
        const [overTime, last] = MOMENTS.map((moment) =>
          meanAndError(
            models
              .filter(({ model }) => model === name)
              .map((model) => 100 * measured(model, condition, "accuracy", moment)),
          ),
        );
        return [name, `${last ?? ""} (${overTime ?? ""})`];
      }),
    ),
  }));
}

function comparisonRow({ training, opponent, measure, moment, schedule, advantages }: Comparison): TableRow {
  return {
    training,
    schedule,
    against: opponent,
    measure,
    moment,
    ...Object.fromEntries(advantages.map(({ noise, bySeed }) => [noise, markedPoints(bySeed)])),
  };
}

function markedPoints(shares: readonly number[]): string {
  return `${pointsAndError(shares)}${leads(shares) ? " (+)" : ""}`;
}

/** What a fresh draw at every timestep gives over one held draw: a row each model. */
function scheduleRows(training: Training, models: readonly NoisyModel[]): TableRow[] {
  return [TESTED, ...OPPONENTS].map((name) => ({
    training,
    model: name,
    ...Object.fromEntries(
      NOISE_NAMES.map((noise) => {
        const gains = models
          .filter(({ model }) => model === name)
          .map((model) => {
            const [persistent = NaN, transient = NaN] = SCHEDULES.map((schedule) =>
              measured(model, { noise, schedule }, "accuracy", "last step"),
            );
            return transient - persistent;
          });
        return [noise, markedPoints(gains)];
      }),
    ),
  }));
}

function allRows(training: Training, models: readonly NoisyModel[]): TableRow[] {
  return CONDITIONS.flatMap((condition) =>
    [TESTED, ...OPPONENTS].flatMap((name) =>
      MOMENTS.map((moment) => {
        const own = models.filter(({ model }) => model === name);
        const noisy = own.map((model) => accuracyAt(resultUnder(model, condition), moment));
        const clean = own.map((model) =>
          accuracyAt(resultUnder(model, { noise: "none", schedule: "none" }), moment),
        );
        const quantities: Readonly<Record<string, readonly number[]>> = {
          accuracy: noisy,
          difference: noisy.map((accuracy, i) => accuracy - (clean[i] ?? NaN)),
          ratio: noisy.map((accuracy, i) => accuracy / (clean[i] ?? NaN)),
          relativeDrop: own.map((model) => measured(model, condition, "relative drop", moment)),
        };
        return {
          training,
          noise: condition.noise,
          schedule: condition.schedule,
          model: name,
          moment,
          ...Object.fromEntries(
            Object.entries(quantities).flatMap(([quantity, values]) => [
              [quantity, mean(values)],
              [`${quantity} se`, standardError(values)],
            ]),
          ),
          n: own.length,
        };
      }),
    ),
  );
}

async function figuresOf(
  evaluated: Evaluated,
  settings: NoiseSettings,
  context: StudyContext,
): Promise<StudyResult["figures"]> {
  return [
    {
      name: "pictures",
      caption: "One test image under the six noises, as the networks are shown it.",
      figure: await picturesOf(await context.dataset(), settings),
    },
    ...[...evaluated].flatMap(([training, models]) => [
      {
        name: `accuracy-under-noise-${training}`,
        caption:
          `Accuracy at each timestep under noise, ${TRAINED[training]}; bands: one standard error over seeds; ` +
          "thin and pale: the same models on clean images.",
        figure: overTimeFigure(models),
      },
      {
        name: `speed-accuracy-under-noise-${training}`,
        caption:
          `Accuracy against mean stopping time, one point a confidence threshold, ${TRAINED[training]}; bands: one ` +
          "standard error over seeds; thin and pale: the same models on clean images.",
        figure: speedAccuracyFigure(models),
      },
    ]),
    {
      name: "drop",
      caption:
        "Share of its own clean accuracy above chance that each model loses at the last timestep; bars: one standard " +
        "error over seeds.",
      figure: dropFigure(evaluated),
    },
  ];
}

function overTimeFigure(models: readonly NoisyModel[]): PlotlyFigure {
  const rows = models.flatMap(({ model, results }) =>
    results.flatMap(({ noise, schedule, accuracy }) =>
      accuracy.map((share, timestep) => ({ noise, schedule, model, timestep, accuracy: share })),
    ),
  );
  return accuracyUnderNoiseFigure(from(rows));
}

function speedAccuracyFigure(models: readonly NoisyModel[]): PlotlyFigure {
  const rows = models.flatMap(({ model, results }) =>
    results.flatMap(({ noise, schedule, curve }) =>
      curve.map((point) => ({ noise, schedule, model, ...point })),
    ),
  );
  return speedAccuracyUnderNoiseFigure(from(rows));
}

function dropFigure(evaluated: Evaluated): PlotlyFigure {
  const rows = [...evaluated].flatMap(([training, models]) =>
    models.flatMap((one) =>
      CONDITIONS.slice(1).map((condition) => ({
        training: TRAINED[training],
        ...condition,
        model: one.model,
        relativeDrop: measured(one, condition, "relative drop", "last step"),
      })),
    ),
  );
  return noiseDropFigure(from(rows));
}

/** What the pictures show: so many timesteps of this test image. */
const PICTURED = { timesteps: 4, image: 0 };

async function picturesOf(
  { train, test: set }: Dataset,
  { noiseSeed: seed, strength }: NoiseEvaluationSettings,
): Promise<PlotlyFigure> {
  const values = valuesPerImage(set.size);
  const normalisation = channelStatistics(train.images);
  const pixels = set.images.subarray(PICTURED.image * values, (PICTURED.image + 1) * values);
  const image = normalisedImage(pixels, normalisation);
  const id = set.ids[PICTURED.image] ?? 0;
  const pictures = NOISE_NAMES.flatMap((noise) =>
    SCHEDULES.flatMap((kind) =>
      disturbedFrames(
        { noise, schedule: { kind }, seed, strength },
        image,
        set.size,
        id,
        PICTURED.timesteps,
      ).map((frame, timestep): NoisePicture => ({
        noise,
        schedule: kind,
        timestep,
        pixels: displayedPixels(frame, normalisation),
      })),
    ),
  );
  return noisePicturesFigure(pictures, set.size.height);
}

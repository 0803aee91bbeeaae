import { from } from "arquero";
import { displayedPixels, normalisedImage } from "../../../datasets/batches.js";
import type { Dataset } from "../../../datasets/dataset.js";
import { valuesPerImage } from "../../../util/image-size.js";
import { channelStatistics } from "../../../datasets/statistics.js";
import { accuracyUnderNoiseFigure } from "../../../figures/accuracy-under-noise.js";
import type { PlotlyFigure } from "../../../figures/figure.js";
import { noiseDropFigure } from "../../../figures/noise-drop.js";
import { type NoisePicture, noisePicturesFigure } from "../../../figures/noise-pictures.js";
import { speedAccuracyUnderNoiseFigure } from "../../../figures/speed-accuracy-under-noise.js";
import { NOISE_NAMES } from "../../../noise/noises.js";
import { disturbedFrames } from "../../../noise/schedule.js";
import type { PairedArms } from "../../evidence/paired-arms.js";
import { measuredResults } from "../../evidence/tables.js";
import type { StudyResult } from "../../study.js";
import type { StudyContext } from "../../study-context.js";
import { CONDITIONS, type NoiseEvaluationSettings, type NoisyModel, SCHEDULES } from "./evaluation.js";
import { type Evaluated, TRAINED } from "./findings.js";
import { relativeDropOf } from "./quantities.js";

export async function figuresOf(
  evaluated: Evaluated,
  settings: NoiseEvaluationSettings,
  context: StudyContext,
): Promise<StudyResult["figures"]> {
  return [
    {
      name: "pictures",
      caption: "One test image under the six noises, as the networks are shown it.",
      figure: await picturesOf(await context.dataset(), settings),
    },
    ...[...evaluated].flatMap(([training, arms]) => [
      {
        name: `accuracy-under-noise-${training}`,
        caption:
          `Accuracy at each timestep under noise, ${TRAINED[training]}; bands: one standard error over seeds; ` +
          "thin and pale: the same models on clean images.",
        figure: overTimeFigure(arms),
      },
      {
        name: `speed-accuracy-under-noise-${training}`,
        caption:
          `Accuracy against mean stopping time, one point a confidence threshold, ${TRAINED[training]}; bands: one ` +
          "standard error over seeds; thin and pale: the same models on clean images.",
        figure: speedAccuracyFigure(arms),
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

function overTimeFigure(arms: PairedArms<NoisyModel>): PlotlyFigure {
  const rows = measuredResults(arms).flatMap(({ arm: model, measured: { results } }) =>
    results.flatMap(({ noise, schedule, accuracy }) =>
      accuracy.map((share, timestep) => ({ noise, schedule, model, timestep, accuracy: share })),
    ),
  );
  return accuracyUnderNoiseFigure(from(rows));
}

function speedAccuracyFigure(arms: PairedArms<NoisyModel>): PlotlyFigure {
  const rows = measuredResults(arms).flatMap(({ arm: model, measured: { results } }) =>
    results.flatMap(({ noise, schedule, curve }) =>
      curve.map((point) => ({ noise, schedule, model, ...point })),
    ),
  );
  return speedAccuracyUnderNoiseFigure(from(rows));
}

function dropFigure(evaluated: Evaluated): PlotlyFigure {
  const rows = [...evaluated].flatMap(([training, arms]) =>
    measuredResults(arms).flatMap(({ arm: model, measured }) =>
      CONDITIONS.slice(1).map((condition) => ({
        training: TRAINED[training],
        ...condition,
        model,
        relativeDrop: relativeDropOf(measured, condition, "last step"),
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

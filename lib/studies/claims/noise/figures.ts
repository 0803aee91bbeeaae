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
import { type Evaluated, OPPONENTS, TRAINED } from "./findings.js";
import { shareLeft } from "./quantities.js";
import { CASCADED_TD } from "../../evidence/model-names.js";

export async function figuresOf(
  evaluated: Evaluated,
  settings: NoiseEvaluationSettings,
  context: StudyContext,
): Promise<StudyResult["figures"]> {
  return [
    {
      name: "pictures",
      caption:
        "One test image under each noise, as the networks are shown it: the same at all timesteps, or drawn anew for " +
        "each.",
      figure: await picturesOf(await context.dataset(), settings),
    },
    ...[...evaluated].flatMap(([training, arms]) => [
      {
        name: `accuracy-under-noise-${training}`,
        caption:
          `What noise changes in accuracy at each timestep, ${TRAINED[training]}: accuracy under noise less that of the ` +
          "same network on clean images; bands: one standard error over seeds.",
        figure: overTimeFigure(arms),
      },
      {
        name: `speed-accuracy-under-noise-${training}`,
        caption:
          `Accuracy against mean stopping time under noise, one point a confidence threshold, ${TRAINED[training]}; ` +
          "bands: one standard error over seeds.",
        figure: speedAccuracyFigure(arms),
      },
    ]),
    {
      name: "drop",
      caption:
        `How much more of its own clean accuracy above chance ${CASCADED_TD} keeps at the last timestep than each other model, ` +
        "paired by seed; bars: one standard error over seeds. Above zero it is the more robust one.",
      figure: dropFigure(evaluated),
    },
  ];
}

function overTimeFigure(arms: PairedArms<NoisyModel>): PlotlyFigure {
  const rows = measuredResults(arms).flatMap(({ arm: model, measured: { results } }) =>
    results.slice(1).flatMap(({ noise, schedule, accuracy }) =>
      accuracy.map((share, timestep) => ({
        noise,
        schedule,
        model,
        timestep,
        change: share - (results[0]?.accuracy[timestep] ?? NaN),
      })),
    ),
  );
  return accuracyUnderNoiseFigure(from(rows));
}

function speedAccuracyFigure(arms: PairedArms<NoisyModel>): PlotlyFigure {
  const rows = measuredResults(arms).flatMap(({ arm: model, measured: { results } }) =>
    results
      .slice(1)
      .flatMap(({ noise, schedule, curve }) => curve.map((point) => ({ noise, schedule, model, ...point }))),
  );
  return speedAccuracyUnderNoiseFigure(from(rows));
}

function dropFigure(evaluated: Evaluated): PlotlyFigure {
  const rows = [...evaluated].flatMap(([training, arms]) =>
    OPPONENTS.flatMap((model) =>
      CONDITIONS.slice(1).flatMap((condition) =>
        arms.lead(CASCADED_TD, model, shareLeft([condition], "last step")).map((lead) => ({
          training: TRAINED[training],
          ...condition,
          model,
          lead: lead / 100,
        })),
      ),
    ),
  );
  return noiseDropFigure(from(rows), "Lead (points)");
}

/** The timesteps at which the pictures show this test image: a persistent noise is the same at all of them. */
const PICTURED = { image: 0, persistent: [0], transient: [0, 2, 4, 6, 8] } as const;

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
    SCHEDULES.flatMap((kind) => {
      const shown = PICTURED[kind];
      const timesteps = Math.max(...shown) + 1;
      const frames = disturbedFrames(
        { noise, schedule: { kind }, seed, strength },
        image,
        set.size,
        id,
        timesteps,
      );
      return shown.map((timestep): NoisePicture => ({
        noise,
        schedule: kind,
        timestep,
        pixels: displayedPixels(frames[timestep] ?? image, normalisation),
      }));
    }),
  );
  return noisePicturesFigure(pictures, set.size.height);
}

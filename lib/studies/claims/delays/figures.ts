import { from } from "arquero";
import { accuracyByDelayFigure } from "../../../figures/accuracy-by-delay.js";
import { accuracyInTheLongRunFigure } from "../../../figures/accuracy-in-the-long-run.js";
import type { PairedArms } from "../../evidence/paired-arms.js";
import type { OverTime } from "../../evidence/quantities.js";
import { measuredResults } from "../../evidence/tables.js";
import type { StudyResult } from "../../study.js";
import { type Delays, ORDINARY_AT_ONCE } from "./arms.js";
import { delayName, longestOf, smallEpsilonArm, smoothing } from "./trainings.js";

export function figuresOf({ settings, trained, ordinary, long }: Delays): StudyResult["figures"] {
  const longest = longestOf(settings.smoothings);
  const smoothingOf = new Map([
    ...settings.smoothings.map((alpha) => [delayName(smoothing(alpha)), alpha] as const),
    [smallEpsilonArm(settings), longest] as const,
  ]);
  const byDelay = (arms: PairedArms<OverTime>) =>
    from(
      measuredResults(arms).flatMap(({ arm, measured }) =>
        measured.accuracy.map((accuracy, timestep) => ({
          delay: arm,
          smoothing: smoothingOf.get(arm) ?? NaN,
          timestep,
          accuracy,
        })),
      ),
    );
  const inTheLongRun = measuredResults(long).flatMap(({ arm, measured }) =>
    measured.accuracy.map((accuracy, timestep) => ({ training: arm, timestep, accuracy })),
  );
  return [
    {
      name: "accuracy-by-delay-trained",
      caption:
        "Accuracy of CascadedTD trained with the one-step delay and with smoothing, mean and standard error over seeds.",
      figure: accuracyByDelayFigure(byDelay(trained)),
    },
    {
      name: "accuracy-by-delay-ordinary-weights",
      caption:
        "Accuracy of an ordinary network's weights run with each delay, mean and standard error over seeds.",
      figure: accuracyByDelayFigure(byDelay(ordinary)),
    },
    {
      name: "accuracy-in-the-long-run",
      caption: `Accuracy with a = ${longest} over ${settings.long.timesteps} steps: a network trained for 9 steps with that smoothing, one trained with the one-step delay and run with the smoothing or as trained, small ones trained with the smoothing for 9 or for all steps, and an ordinary network's weights, beside the ordinary network itself; mean and standard error over seeds.`,
      figure: accuracyInTheLongRunFigure(from(inTheLongRun), ORDINARY_AT_ONCE),
    },
  ];
}

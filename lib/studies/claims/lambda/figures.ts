import { type ColumnTable, from } from "arquero";
import { accuracyAgainstLambdaFigure } from "../../../figures/accuracy-against-lambda.js";
import { overTimeByLambdaFigure } from "../../../figures/over-time-by-lambda.js";
import { areaUnderAccuracy } from "../../../trace/area.js";
import type { AnytimeModel } from "../../evidence/anytime-models.js";
import type { StudyResult } from "../../study.js";
import { EARLY_STEP, MODELS, type Sweep } from "./sweep.js";

export function figuresOf(sweep: Sweep): StudyResult["figures"] {
  const against = sweep.runs.map((one) => ({
    model: one.model,
    lambda: one.spec.loss.lambda,
    last: one.accuracy.at(-1) ?? NaN,
    early: one.accuracy[EARLY_STEP] ?? NaN,
    area: areaUnderAccuracy(one.accuracy),
  }));
  return [
    {
      name: "accuracy-against-lambda",
      caption:
        "Accuracy against lambda, mean and standard error over seeds: at the last step, at t = 3 and on the mean over time.",
      figure: accuracyAgainstLambdaFigure(from(against)),
    },
    ...MODELS.map(({ model }) => ({
      name: `accuracy-over-time-${model}`,
      caption: `Accuracy of ${model} at each timestep by lambda, mean and standard error over seeds.`,
      figure: overTimeByLambdaFigure(
        overTime(sweep, model, ({ accuracy }) => accuracy),
        { title: "Accuracy" },
      ),
    })),
    ...["CascadedTD", "SerialTD"].map((model) => ({
      name: `calibration-over-time-${model}`,
      caption: `Expected calibration error of ${model} at each timestep by lambda, mean and standard error over seeds.`,
      figure: overTimeByLambdaFigure(
        overTime(sweep, model, ({ calibrationError }) => calibrationError),
        { title: "Expected calibration error" },
      ),
    })),
  ];
}

function overTime(
  { runs }: Sweep,
  model: string,
  valuesOf: (one: AnytimeModel) => readonly number[],
): ColumnTable {
  return from(
    runs
      .filter((one) => one.model === model)
      .flatMap((one) =>
        valuesOf(one).map((share, timestep) => ({ lambda: one.spec.loss.lambda, timestep, share })),
      ),
  );
}

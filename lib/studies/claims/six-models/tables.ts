import { currentEnvironment } from "../../../experiments/runs/environment.js";
import { areaUnderAccuracy } from "../../../trace/area.js";
import { widthOf } from "../../../experiments/specs/network-spec.js";
import { mean } from "../../../util/statistics.js";
import type { AnytimeModel } from "../../evidence/anytime-models.js";
import {
  accuracyAt,
  accuracyAtMeanStop,
  areaOverTime,
  areaUnderCurve,
  type Quantity,
  share,
} from "../../evidence/quantities.js";
import { measuredResults, quantityCells } from "../../evidence/tables.js";
import type { StudyResult, TableRow } from "../../study.js";
import { areaUnderDeadlines, AXES, type SixModels } from "./models.js";

export function tablesOf(study: SixModels): StudyResult["tables"] {
  const { models, arms, last, rangeOf, paper } = study;
  /** What the paper has, and how the title tells it: nothing on data that it has no figure of. */
  const beside = (head: string, of: "last" | "meanStop3") => (model: string) =>
    paper.size === 0 ? {} : { [head]: paper.get(model)?.[of] ?? "" };
  const told = (text: string): string => (paper.size === 0 ? "" : `; paper: ${text}`);
  const rowsByModel = (
    quantities: readonly Quantity<AnytimeModel>[],
    more: (model: string) => TableRow = () => ({}),
  ): TableRow[] =>
    models.map((model) => ({
      model,
      ...quantityCells(arms, model, quantities),
      ...more(model),
      n: arms.bySeed(model, areaOverTime).length,
    }));
  const results = measuredResults(arms).map(({ measured }) => measured);
  return [
    {
      name: "accuracy",
      title: `Accuracy in % at each timestep after the first, mean ± standard error over n seeds; area: mean over time, by trapezoids${told("CIFAR-10, full width, 100 and more epochs")}`,
      rows: rowsByModel(
        [...Array.from({ length: last }, (_, i) => accuracyAt(i + 1)), areaOverTime],
        beside("paper, last", "last"),
      ),
    },
    {
      name: "accuracy-at-speed",
      title: `Accuracy in % where images stop when the network is confident, at mean stopping times of 1, 2 and 3 timesteps${told("read off its figure, which is over mean stopping time too")}`,
      rows: rowsByModel([1, 2, 3].map(accuracyAtMeanStop), beside("paper, mean stop 3", "meanStop3")),
    },
    {
      name: "speed-accuracy-area",
      title: `Mean accuracy in % under the speed-accuracy curve, from where all models have answered to where the slowest ends (a curve that ends sooner is held), and where every image is answered at the same timestep (deadline): ${AXES.map((one) => rangeText(study, one)).join("; ")}`,
      rows: rowsByModel(
        AXES.flatMap(({ axis, unit }) => [
          { ...areaUnderCurve(rangeOf(axis), axis), name: `over ${unit}` },
          { ...areaUnderDeadlines(rangeOf(axis), axis), name: `deadline over ${unit}` },
        ]),
      ),
    },
    {
      name: "calibration-and-overthinking",
      title:
        "Expected calibration error (10 bins) and overthinking, in %: destructive, right earlier but wrong at the last step; wasteful, right earlier already; oracle, right at some step; in these three an answer that has not seen the image does not count",
      rows: rowsByModel([
        share("calibration, t = 3", ({ calibrationError }) => calibrationError[3] ?? NaN),
        share("calibration, last", ({ calibrationError }) => calibrationError[last] ?? NaN),
        share("calibration, mean over t", ({ calibrationError }) => mean(calibrationError)),
        share("destructive", ({ overthinking }) => overthinking.destructive),
        share("wasteful", ({ overthinking }) => overthinking.wasteful),
        share("oracle", ({ overthinking }) => overthinking.oracleAccuracy),
      ]),
    },
    {
      name: "cost",
      title: `Cost an image up to the answer: million multiply-adds, and milliseconds on ${machine()} (one image at a time, from its pixels on; median)`,
      rows: models.map((model) =>
        costRow(
          model,
          results.find((one) => one.model === model),
          last,
        ),
      ),
    },
    { name: "runs", title: "Every model of every seed", rows: results.map(runRow) },
    {
      name: "timesteps",
      title: "Every timestep of every model and seed",
      rows: results.flatMap(timestepRows),
    },
  ];
}

function rangeText({ rangeOf }: SixModels, { axis, unit, scale }: (typeof AXES)[number]): string {
  const { from, to } = rangeOf(axis);
  return `${(from / scale).toFixed(2)} to ${(to / scale).toFixed(2)} ${unit}`;
}

function machine(): string {
  const { cpu, cores } = currentEnvironment();
  return `${cores} cores of ${cpu}`;
}

function costRow(model: string, measured: AnytimeModel | undefined, last: number): TableRow {
  const at = (t: number): TableRow => ({
    [`multiply-adds, t = ${t}`]: ((measured?.multiplyAdds[t] ?? NaN) / 1e6).toFixed(2),
    [`ms, t = ${t}`]: (measured?.milliseconds[t] ?? NaN).toFixed(2),
  });
  return { model, ...at(1), ...at(3), ...at(last) };
}

function runRow({ spec, ...one }: AnytimeModel): TableRow {
  return {
    model: one.model,
    seed: one.seed,
    run: one.run,
    epochs: spec.train.epochs,
    width: widthOf(spec.network),
    examples: one.examples,
    accuracy: one.accuracy.at(-1) ?? NaN,
    area: areaUnderAccuracy(one.accuracy),
    calibrationError: one.calibrationError.at(-1) ?? NaN,
    ...one.overthinking,
    multiplyAdds: one.multiplyAdds.at(-1) ?? NaN,
    trainingSeconds: one.trainingSeconds,
    imagesPerSecond: one.imagesPerSecond,
  };
}

function timestepRows(one: AnytimeModel): TableRow[] {
  return one.accuracy.map((accuracy, timestep) => ({
    model: one.model,
    seed: one.seed,
    timestep,
    accuracy,
    calibrationError: one.calibrationError[timestep] ?? NaN,
    multiplyAdds: one.multiplyAdds[timestep] ?? NaN,
    milliseconds: one.milliseconds[timestep] ?? NaN,
  }));
}

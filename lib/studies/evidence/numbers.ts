import { groupRows } from "../../util/group-rows.js";
import type { SpeedAccuracyPoint } from "../../trace/speed-accuracy-curve.js";
import type { AnytimeModel } from "./anytime-models.js";
import type { PairedArms } from "./paired-arms.js";
import type { OverTime } from "./quantities.js";

/** A number of one run: tables, figures and findings are means, differences and areas of these. */
export interface NumberRow {
  /** Which of a study's sets of arms it is of; empty where there is one. */
  readonly part: string;
  readonly arm: string;
  readonly seed: number;
  readonly quantity: string;
  /** The timestep or threshold that it is of; NaN for a number of the whole run. */
  readonly at: number;
  readonly value: number;
}

const ACCURACY = "accuracy";
const ACCURACY_AT_THRESHOLD = "accuracy at threshold";
const TIME_AT_THRESHOLD = "mean stopping time at threshold";

/** Several values of one quantity, each at its timestep or threshold. */
export interface NumberSeries {
  readonly quantity: string;
  readonly at: readonly number[];
  readonly values: readonly number[];
}

/** Values at timesteps 0, 1, .... */
export function overTimeSeries(quantity: string, values: readonly number[]): NumberSeries {
  return { quantity, at: values.map((_, t) => t), values };
}

/** A number of the whole run. */
export function wholeRun(quantity: string, value: number): NumberSeries {
  return { quantity, at: [NaN], values: [value] };
}

/** The series of one run, a row a number. */
export function seriesRows(
  run: Pick<NumberRow, "part" | "arm" | "seed">,
  series: readonly NumberSeries[],
): NumberRow[] {
  return series.flatMap(({ quantity, at, values }) =>
    values.map((value, i) => ({ ...run, quantity, at: at[i] ?? NaN, value })),
  );
}

/** The series that `seriesOf` reads off every run of some arms. */
export function numberRows<Measured>(
  arms: PairedArms<Measured>,
  seriesOf: (measured: Measured) => readonly NumberSeries[],
  part = "",
): NumberRow[] {
  return arms.results.flatMap(({ arm, seed, measured }) =>
    measured === "diverged" ? [] : seriesRows({ part, arm, seed }, seriesOf(measured)),
  );
}

export const accuracySeries = ({ accuracy }: OverTime): NumberSeries[] => [
  overTimeSeries(ACCURACY, accuracy),
];

/** All that is measured of an anytime model, in the order of the definitions. */
export function anytimeSeries(model: AnytimeModel): NumberSeries[] {
  return [
    ...accuracySeries(model),
    overTimeSeries("cross-entropy", model.crossEntropy),
    overTimeSeries("confidence", model.confidence),
    overTimeSeries("calibration error", model.calibrationError),
    overTimeSeries("multiply-adds", model.multiplyAdds),
    overTimeSeries("milliseconds", model.milliseconds),
    ...curveSeries(model.curve),
    wholeRun("destructive overthinking", model.overthinking.destructive),
    wholeRun("wasteful overthinking", model.overthinking.wasteful),
    wholeRun("oracle accuracy", model.overthinking.oracleAccuracy),
    wholeRun("training seconds", model.trainingSeconds),
  ];
}

/** What a speed-accuracy curve over timesteps is drawn from: a row of `speedAccuracyFigure`'s table. */
export interface CurveRow {
  readonly model: string;
  readonly seed: number;
  readonly threshold: number;
  readonly accuracy: number;
  readonly meanStoppingTime: number;
  readonly asymptoticAccuracy: number;
}

/** The curves over timesteps that `anytimeSeries` wrote the numbers of, and each timestep as a deadline for every image. */
export function curvesOfNumbers(rows: readonly NumberRow[]): {
  readonly curves: readonly CurveRow[];
  readonly deadlines: readonly CurveRow[];
} {
  const runs = [...groupRows(rows, ({ part, arm, seed }) => `${part}/${arm}/${seed}`).values()].map((run) => {
    const { arm: model, seed } = run[0] as NumberRow;
    const of = (quantity: string): NumberRow[] => run.filter((row) => row.quantity === quantity);
    const answers = of(ACCURACY);
    const shared = { model, seed, asymptoticAccuracy: answers.at(-1)?.value ?? NaN };
    const times = new Map(of(TIME_AT_THRESHOLD).map(({ at, value }) => [at, value]));
    return {
      curves: of(ACCURACY_AT_THRESHOLD).map(({ at: threshold, value: accuracy }) => ({
        ...shared,
        threshold,
        accuracy,
        meanStoppingTime: times.get(threshold) ?? NaN,
      })),
      deadlines: answers.map(({ at: threshold, value: accuracy }) => ({
        ...shared,
        threshold,
        accuracy,
        meanStoppingTime: threshold,
      })),
    };
  });
  return {
    curves: runs.flatMap(({ curves }) => curves),
    deadlines: runs.flatMap(({ deadlines }) => deadlines),
  };
}

/** A speed-accuracy curve by its threshold. */
function curveSeries(curve: readonly SpeedAccuracyPoint[]): NumberSeries[] {
  const at = curve.map(({ threshold }) => threshold);
  const series = (
    quantity: string,
    of: (point: SpeedAccuracyPoint) => number | undefined,
  ): NumberSeries[] => {
    const values = curve.flatMap((point) => of(point) ?? []);
    return values.length === 0 ? [] : [{ quantity, at, values }];
  };
  return [
    ...series(ACCURACY_AT_THRESHOLD, (point) => point.accuracy),
    ...series(TIME_AT_THRESHOLD, (point) => point.meanStoppingTime),
    ...series("mean multiply-adds at threshold", (point) => point.meanMultiplyAdds),
    ...series("mean milliseconds at threshold", (point) => point.meanMilliseconds),
  ];
}

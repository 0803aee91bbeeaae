import { accuracyPerTimestep } from "./accuracy-per-timestep.js";
import { type Answers, accuracyWithin, areaOverBudgets } from "./budget.js";
import { expectedCalibrationError } from "./calibration.js";
import { overthinking } from "./overthinking.js";
import { brierScore, negativeLogLikelihood } from "./proper-scores.js";
import { riskControlledThreshold } from "./risk-control.js";
import { failurePredictionAuroc } from "./selective-prediction.js";
import { pointOfTimes } from "./speed-accuracy-curve.js";
import { assertComparable, type ValidationTrace } from "./split.js";
import { stoppingTimes } from "./stopping-time.js";
import type { Trace } from "./trace.js";
import { UserError } from "../util/errors.js";

/** A model's answers: to test images, which judge it, and to validation images, on which its threshold is chosen. */
export interface LeaderboardEntry {
  readonly name: string;
  readonly test: Trace;
  /** Left out where nothing is stopped early. */
  readonly heldOut?: ValidationTrace;
}

/** What is measured of a model. Shares are of examples, from 0 to 1; costs in multiply-adds of an image. */
export interface LeaderboardMeasures {
  readonly examples: number;
  /** Accuracy of the last answer, and what the answer costs. */
  readonly accuracy: number;
  readonly multiplyAdds: number;
  /** Mean accuracy over all budgets of multiply-adds up to the largest that is asked for, or to its own last answer (`areaOverBudgets`). */
  readonly area: number;
  /** Right at some timestep that has seen the image. */
  readonly oracle: number;
  /** Right at some earlier timestep, and wrong at the last (destructive overthinking). */
  readonly overthinking: number;
  /** Of the last answer: expected calibration error, negative log-likelihood in nats, Brier score, and AUROC of its confidence for being right. */
  readonly calibrationError: number;
  readonly negativeLogLikelihood: number;
  readonly brierScore: number;
  readonly failureAuroc: number;
  /**
   * Where images stop once confident, by the boldest threshold that, by the validation images, spoils at most 1 % of the answers
   * (`riskControlledThreshold`): accuracy and mean multiply-adds. Those of the last answer where no threshold is that safe; NaN where nothing is
   * stopped early.
   */
  readonly stoppedAccuracy: number;
  readonly stoppedMultiplyAdds: number;
}

/** A line of a leaderboard. */
export interface LeaderboardRow {
  readonly name: string;
  /** Accuracy within each budget of multiply-adds that is asked for. */
  readonly withinBudgets: readonly number[];
  readonly measures: LeaderboardMeasures;
}

/** Share of the answers that stopping may spoil. */
const TOLERATED_RISK = 0.01;

/**
 * A line for each model, the largest area first. A UserError where traces are of different images, splits or labels, and where a
 * trace does not know its cost. `budgets`: multiply-adds of an image, ascending.
 */
export function leaderboard(
  entries: readonly LeaderboardEntry[],
  budgets: readonly number[],
): LeaderboardRow[] {
  const nameOf = (_: Trace, i: number): string => entries[i]?.name ?? "";
  assertComparable(
    entries.map(({ test }) => test),
    nameOf,
  );
  return entries
    .map((entry) => leaderboardRow(entry, budgets))
    .sort((a, b) => b.measures.area - a.measures.area);
}

/** The line of one model. */
export function leaderboardRow(
  { name, test, heldOut }: LeaderboardEntry,
  budgets: readonly number[],
): LeaderboardRow {
  const accuracy = [...accuracyPerTimestep(test)];
  const costs = test.cost?.multiplyAdds;
  if (costs === undefined) throw new UserError(`the trace of ${name} does not know its multiply-adds`);
  const answers: Answers = { costs, accuracy };
  const guessing = 1 / test.classes;
  const last = (values: Float64Array): number => values.at(-1) as number;
  const { oracleAccuracy, destructive } = overthinking(test);
  return {
    name,
    withinBudgets: budgets.map((budget) => accuracyWithin(answers, budget, guessing)),
    measures: {
      examples: test.examples,
      accuracy: accuracy.at(-1) as number,
      multiplyAdds: costs.at(-1) as number,
      area: areaOverBudgets(answers, budgets.at(-1) ?? (costs.at(-1) as number), guessing),
      oracle: oracleAccuracy,
      overthinking: destructive,
      calibrationError: last(expectedCalibrationError(test)),
      negativeLogLikelihood: last(negativeLogLikelihood(test)),
      brierScore: last(brierScore(test)),
      failureAuroc: last(failurePredictionAuroc(test)),
      ...stopped(test, heldOut),
    },
  };
}

function stopped(
  test: Trace,
  heldOut: ValidationTrace | undefined,
): Pick<LeaderboardMeasures, "stoppedAccuracy" | "stoppedMultiplyAdds"> {
  if (heldOut === undefined) return { stoppedAccuracy: NaN, stoppedMultiplyAdds: NaN };
  const threshold = riskControlledThreshold(heldOut, { risk: TOLERATED_RISK });
  const rule =
    threshold === undefined
      ? ({ kind: "deadline", timestep: test.timesteps - 1 } as const)
      : ({ kind: "confidence", threshold } as const);
  const { accuracy, meanMultiplyAdds = NaN } = pointOfTimes(
    test,
    threshold ?? NaN,
    stoppingTimes(test, rule),
  );
  return { stoppedAccuracy: accuracy, stoppedMultiplyAdds: meanMultiplyAdds };
}

import { table, type ColumnTable } from "arquero";
import { accuracyPerTimestep } from "./accuracy-per-timestep.js";
import { areaUnderAccuracy } from "./area.js";
import { expectedCalibrationError } from "./calibration.js";
import { monotonicityViolations } from "./monotonicity.js";
import { overthinking } from "./overthinking.js";
import { brierScore, negativeLogLikelihood } from "./proper-scores.js";
import { areaUnderRiskCoverage, failurePredictionAuroc } from "./selective-prediction.js";
import { firstInformedTimestep, traceFrom } from "./subtrace.js";
import type { Trace } from "./trace.js";

/**
 * Everything that is measured of an answer, one row a timestep: [model,] timestep, accuracy, negativeLogLikelihood,
 * brierScore, expectedCalibrationError, failureAuroc, areaUnderRiskCoverage [, multiplyAdds].
 */
export function timestepMeasures(trace: Trace): ColumnTable {
  const accuracy = accuracyPerTimestep(trace);
  return table({
    ...(trace.model !== undefined && { model: Array.from(accuracy, () => trace.model) }),
    timestep: Int32Array.from(accuracy.keys()),
    accuracy,
    negativeLogLikelihood: negativeLogLikelihood(trace),
    brierScore: brierScore(trace),
    expectedCalibrationError: expectedCalibrationError(trace),
    failureAuroc: failurePredictionAuroc(trace),
    areaUnderRiskCoverage: areaUnderRiskCoverage(trace),
    ...(trace.cost && { multiplyAdds: Float64Array.from(trace.cost.multiplyAdds) }),
  });
}

/** What is measured of a trace as a whole. Shares are of examples, from 0 to 1. */
export interface TraceMeasures {
  /** Accuracy of the last timestep. */
  readonly lastAccuracy: number;
  /** Mean accuracy over time, by trapezoids, from the first answer on, blind or not. */
  readonly area: number;
  /** Right at some timestep that has seen the image: what a perfect stopping rule would reach. */
  readonly oracleAccuracy: number;
  /** Right at some earlier timestep that has seen the image, and wrong at the last. */
  readonly destructive: number;
  /** Examples whose label's probability falls by more than 0.1 at some time after the first answer that has seen them. */
  readonly monotonicityViolations: number;
}

const TOLERATED_FALL = 0.1;

/** Measures of a trace as a whole. A blind answer counts in the area alone: it has nothing to overthink or to forget. */
export function traceMeasures(trace: Trace): TraceMeasures {
  const accuracy = accuracyPerTimestep(trace);
  const informed = traceFrom(trace, firstInformedTimestep(trace));
  const { oracleAccuracy, destructive } = overthinking(trace);
  return {
    lastAccuracy: accuracy.at(-1) as number,
    area: areaUnderAccuracy(accuracy),
    oracleAccuracy,
    destructive,
    monotonicityViolations: monotonicityViolations(informed, TOLERATED_FALL),
  };
}

import { from, table, type ColumnTable } from "arquero";
import { UserError } from "../util/errors.js";
import { confidences, correctness } from "./probabilities.js";
import type { Trace } from "./trace.js";

/** Examples of one timestep whose confidence lies in (lower, upper]. */
export interface ReliabilityBin {
  readonly timestep: number;
  readonly lower: number;
  readonly upper: number;
  readonly count: number;
  /** Mean over the bin; NaN where it is empty. */
  readonly confidence: number;
  /** Share of the bin that is right; NaN where it is empty. */
  readonly accuracy: number;
}

/** Reliability bins of equal width over confidence, lower edge open, bins within timesteps; 10 bins unless told. */
export function reliabilityBins(trace: Trace, bins = 10): ReliabilityBin[] {
  if (!Number.isInteger(bins) || bins < 1) {
    throw new UserError(`the number of calibration bins must be a whole number from 1, not ${bins}`);
  }
  const { timesteps, examples } = trace;
  const confidence = confidences(trace);
  const correct = correctness(trace);
  const counts = new Int32Array(timesteps * bins);
  const confident = new Float64Array(timesteps * bins);
  const right = new Float64Array(timesteps * bins);
  confidence.forEach((value, row) => {
    const cell = Math.floor(row / examples) * bins + binOf(value, bins);
    counts[cell] = (counts[cell] as number) + 1;
    confident[cell] = (confident[cell] as number) + value;
    right[cell] = (right[cell] as number) + (correct[row] as number);
  });
  return Array.from(counts, (count, cell) => ({
    timestep: Math.floor(cell / bins),
    lower: (cell % bins) / bins,
    upper: ((cell % bins) + 1) / bins,
    count,
    confidence: (confident[cell] as number) / count,
    accuracy: (right[cell] as number) / count,
  }));
}

/** The bin b with b / bins < value <= (b + 1) / bins. */
function binOf(value: number, bins: number): number {
  let bin = Math.min(Math.floor(value * bins), bins - 1);
  if (bin > 0 && value <= bin / bins) bin--;
  return bin;
}

/**
 * Expected calibration error at each timestep, [T] (Naeini et al. 2015), over bins b of equal width:
 *
 *     ECE[t] = Σ_b count[b] / N |accuracy[b] - confidence[b]|
 */
export function expectedCalibrationError(trace: Trace, bins = 10): Float64Array {
  const errors = new Float64Array(trace.timesteps);
  for (const { timestep, count, accuracy, confidence } of reliabilityBins(trace, bins)) {
    if (count === 0) continue;
    errors[timestep] =
      (errors[timestep] as number) + (count / trace.examples) * Math.abs(accuracy - confidence);
  }
  return errors;
}

/** Table of the expected calibration error: [model,] timestep, expectedCalibrationError. */
export function calibrationTable(trace: Trace, bins = 10): ColumnTable {
  const errors = expectedCalibrationError(trace, bins);
  return table({
    ...(trace.model !== undefined && { model: Array.from(errors, () => trace.model) }),
    timestep: Int32Array.from(errors.keys()),
    expectedCalibrationError: errors,
  });
}

/** Table of the reliability bins that hold examples: [model,] timestep, lower, upper, count, confidence, accuracy. */
export function reliabilityTable(trace: Trace, bins = 10): ColumnTable {
  const name = trace.model === undefined ? {} : { model: trace.model };
  const filled = reliabilityBins(trace, bins).filter(({ count }) => count > 0);
  return from(filled.map((bin) => ({ ...name, ...bin })));
}

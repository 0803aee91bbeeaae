import { z } from "zod";
import { UserError } from "../util/errors.js";
import { recipeUniform } from "../util/recipe.js";
import { spearman } from "../util/statistics.js";
import { accuracyPerTimestep } from "./accuracy-per-timestep.js";
import { areaUnderAccuracy } from "./area.js";
import { expectedCalibrationError } from "./calibration.js";
import { speedAccuracyCurve } from "./speed-accuracy-curve.js";
import { stoppingTimes } from "./stopping-time.js";
import { validateTrace, type Trace } from "./trace.js";

const LIMIT = 1e-9;
const STOPPING_TIME = /^stoppingTimeAt(\d*\.?\d+)$/;
const CALIBRATION_ERROR = /^expectedCalibrationError(\d+)Bins$/;

const numbers = z.array(z.number());
const referenceSchema = z.looseObject({
  T: z.int().positive(),
  N: z.int().positive(),
  K: z.int().min(2),
  speedAccuracyCurve: z.array(
    z.object({ threshold: z.number().min(0).max(1), meanStoppingTime: z.number(), accuracy: z.number() }),
  ),
  accuracyPerTimestep: numbers,
  normalisedAreaUnderAccuracy: z.number(),
  spearmanEaseVsStoppingTime: z.number(),
});

export interface ParityRow {
  readonly quantity: string;
  /** max |ours - reference| / max |reference| over the whole quantity; infinite where they cannot be compared. */
  readonly error: number;
  readonly limit: number;
}

/** The trace of the reference numbers, remade from its recipe, and the ease [N] of its examples. */
export function recipeTrace(T: number, N: number, K: number): { trace: Trace; ease: Float64Array } {
  const ease = recipeUniform(2001, N);
  const labels = Int32Array.from({ length: N }, (_, n) => (7 * n + 3) % K);
  const logits = recipeUniform(2000, T * N * K).map((noise) => 3 * noise);
  for (let t = 0; t < T; t++) {
    for (let n = 0; n < N; n++) {
      const i = (t * N + n) * K + (labels[n] as number);
      logits[i] = (logits[i] as number) + 0.6 * t * (1 + (ease[n] as number));
    }
  }
  const ids = Int32Array.from({ length: N }, (_, n) => n);
  return { trace: validateTrace({ timesteps: T, examples: N, classes: K, logits, labels, ids }), ease };
}

/**
 * Holds the analyses to the reference numbers `analyses.json` (parsed), all but its `td` part: the error of each
 * quantity and its limit. Throws a UserError where the reference is not of that form or holds an unknown quantity.
 */
export function checkAnalyses(reference: unknown): ParityRow[] {
  const parsed = referenceSchema.safeParse(reference);
  if (!parsed.success) {
    throw new UserError(
      `the reference numbers of the analyses are not of their form:\n${z.prettifyError(parsed.error)}`,
    );
  }
  const { T, N, K, speedAccuracyCurve: points, ...quantities } = parsed.data;
  const { trace, ease } = recipeTrace(T, N, K);
  const curve = speedAccuracyCurve(trace, { thresholds: points.map(({ threshold }) => threshold) });
  const curveRows = (["meanStoppingTime", "accuracy"] as const).map((column) =>
    parityRow(
      `speedAccuracyCurve.${column}`,
      curve.map((point) => point[column]),
      points.map((point) => point[column]),
    ),
  );
  const otherRows = Object.entries(quantities).flatMap(([quantity, value]) => {
    if (quantity === "td") return [];
    const ours = measure(quantity, trace, ease);
    const expected = numbers.safeParse(typeof value === "number" ? [value] : value);
    if (ours === undefined || !expected.success) {
      throw new UserError(`the reference numbers hold "${quantity}", which is not an analysis known here`);
    }
    return [parityRow(quantity, ours, expected.data)];
  });
  return [...curveRows, ...otherRows];
}

function measure(quantity: string, trace: Trace, ease: Float64Array): ArrayLike<number> | undefined {
  const stoppingThreshold = STOPPING_TIME.exec(quantity)?.[1];
  if (stoppingThreshold !== undefined) return latencies(trace, Number(stoppingThreshold));
  const bins = CALIBRATION_ERROR.exec(quantity)?.[1];
  if (bins !== undefined) return expectedCalibrationError(trace, Number(bins));
  switch (quantity) {
    case "accuracyPerTimestep":
      return accuracyPerTimestep(trace);
    case "normalisedAreaUnderAccuracy":
      return [areaUnderAccuracy(accuracyPerTimestep(trace))];
    case "spearmanEaseVsStoppingTime":
      return [spearman(ease, latencies(trace, 0.7))];
    default:
      return undefined;
  }
}

function latencies(trace: Trace, threshold: number): Int32Array {
  return stoppingTimes(trace, { kind: "confidence", threshold });
}

function parityRow(quantity: string, ours: ArrayLike<number>, expected: readonly number[]): ParityRow {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const difference = expected.reduce(
    (most, value, i) => Math.max(most, Math.abs((ours[i] ?? NaN) - value)),
    0,
  );
  const error = difference / (largest === 0 ? 1 : largest);
  const comparable = ours.length === expected.length && !Number.isNaN(error);
  return { quantity, error: comparable ? error : Infinity, limit: LIMIT };
}

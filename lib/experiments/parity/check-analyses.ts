import { z } from "zod";
import { accuracyPerTimestep } from "../../trace/accuracy-per-timestep.js";
import { areaUnderAccuracy } from "../../trace/area.js";
import { expectedCalibrationError } from "../../trace/calibration.js";
import { speedAccuracyCurve } from "../../trace/speed-accuracy-curve.js";
import { stoppingTimes } from "../../trace/stopping-time.js";
import type { Trace } from "../../trace/trace.js";
import { UserError } from "../../util/errors.js";
import { parseWithSchema } from "../../util/schema.js";
import { spearman } from "../../util/statistics.js";
import { FLOAT64_LIMIT, type ParityRow, parityRow } from "./parity-row.js";
import { recipeTrace } from "./recipe-trace.js";
import { arrayError } from "./relative-error.js";

const STOPPING_TIME = /^stoppingTimeAt(\d*\.?\d+)$/;
const CALIBRATION_ERROR = /^expectedCalibrationError(\d{1,4})Bins$/;
/** The trace is remade from its sizes alone, so a few characters could ask for any amount of memory. */
const MOST_LOGITS = 1e6;

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

/**
 * Compares the analyses with the reference file `where` (parsed), all but its `td` part. A UserError where it is not
 * of that form or holds an unknown quantity.
 */
export function checkAnalyses(json: unknown, where: string): ParityRow[] {
  const reference = parseWithSchema(referenceSchema, json, where);
  const { T, N, K, speedAccuracyCurve: points, ...quantities } = reference;
  if (T * N * K > MOST_LOGITS)
    throw new UserError(
      `${where} asks for ${T} x ${N} x ${K} logits; a reference has at most ${MOST_LOGITS}`,
    );
  const { trace, ease } = recipeTrace(T, N, K);
  const row = (quantity: string, ours: ArrayLike<number>, expected: readonly number[]): ParityRow =>
    parityRow("analyses", quantity, arrayError(ours, expected), FLOAT64_LIMIT);
  const curve = speedAccuracyCurve(trace, { thresholds: points.map(({ threshold }) => threshold) });
  const curveRows = (["meanStoppingTime", "accuracy"] as const).map((column) =>
    row(
      `speedAccuracyCurve.${column}`,
      curve.map((point) => point[column]),
      points.map((point) => point[column]),
    ),
  );
  const others = Object.entries(quantities).filter(([quantity]) => quantity !== "td");
  const otherRows = others.map(([quantity, value]) => {
    const ours = measure(quantity, trace, ease);
    const expected = numbers.safeParse(typeof value === "number" ? [value] : value);
    if (ours === undefined || !expected.success) {
      throw new UserError(`${where} holds "${quantity}", which is not an analysis known here`);
    }
    return row(quantity, ours, expected.data);
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

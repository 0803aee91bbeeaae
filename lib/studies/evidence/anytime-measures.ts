import { join } from "node:path";
import { readRun } from "../../experiments/runs/run-record.js";
import type { RunSpec } from "../../experiments/specs/spec.js";
import { runSummary } from "../../experiments/runs/run-summary.js";
import { tdLoss } from "../../losses/td-lambda.js";
import { accuracyPerTimestep } from "../../trace/accuracy-per-timestep.js";
import { areaUnderAccuracy } from "../../trace/area.js";
import { expectedCalibrationError } from "../../trace/calibration.js";
import { overthinking } from "../../trace/overthinking.js";
import { confidences } from "../../trace/probabilities.js";
import { speedAccuracyCurve, type SpeedAccuracyPoint } from "../../trace/speed-accuracy-curve.js";
import { readTrace } from "../../trace/trace-file.js";
import type { Trace } from "../../trace/trace.js";
import { mean } from "../../util/statistics.js";
import type { StudyContext } from "../study.js";

/** What a trace says of a model as an anytime predictor, as plain data. */
export interface AnytimeMeasures {
  readonly model: string;
  /** Hash of the run. */
  readonly run: string;
  readonly examples: number;
  /** [T] */
  readonly accuracy: readonly number[];
  /** Trapezoid area of accuracy over time, divided by T - 1. */
  readonly area: number;
  readonly curve: readonly SpeedAccuracyPoint[];
  /** [T] cross-entropy of the label against the belief, in nats. */
  readonly crossEntropy: readonly number[];
  /** [T] mean of the largest probability. */
  readonly confidence: readonly number[];
  /** [T] in 10 bins. */
  readonly calibrationError: readonly number[];
  /** Share that was right at some earlier timestep and is wrong at the last. */
  readonly destructive: number;
}

/** The measures of the one model that a finished run gives, on its test images, read off its trace. */
export async function anytimeMeasures(spec: RunSpec, context: StudyContext): Promise<AnytimeMeasures> {
  const directory = context.run(spec);
  const run = readRun(directory).hash;
  return context.keptOf(spec, { analysis: "anytime measures" }, async () => {
    context.onProgress(`reading ${directory}`);
    const [view] = runSummary(directory).models;
    const trace = await readTrace(join(directory, view?.trace ?? ""));
    return { model: view?.model ?? "", run, ...measuresOf(trace) };
  });
}

function measuresOf(trace: Trace): Omit<AnytimeMeasures, "model" | "run"> {
  const { timesteps, examples, logits, labels } = trace;
  const accuracy = [...accuracyPerTimestep(trace)];
  const confidence = confidences(trace);
  return {
    examples,
    accuracy,
    area: areaUnderAccuracy(accuracy),
    curve: speedAccuracyCurve(trace),
    // With lambda = 1 every target is the label.
    crossEntropy: tdLoss(logits, labels, timesteps, { lambda: 1, firstTimestep: 0 }).lossPerTimestep,
    confidence: accuracy.map((_, t) => mean(confidence.subarray(t * examples, (t + 1) * examples))),
    calibrationError: [...expectedCalibrationError(trace)],
    destructive: overthinking(trace).destructive,
  };
}

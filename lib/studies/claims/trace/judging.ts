import { accuracyAtSpeed } from "../../../trace/accuracy-at-speed.js";
import { areaUnderSpeedAccuracy, commonRange } from "../../../trace/area.js";
import { aurocBootstrap } from "../../../trace/auroc.js";
import { confidences, correctness } from "../../../trace/probabilities.js";
import {
  signalSpeedAccuracyCurve,
  type SpeedAccuracyPoint,
  speedAccuracyCurve,
} from "../../../trace/speed-accuracy-curve.js";
import { stoppingSignal } from "../../../trace/stopping-time.js";
import { randomStream } from "../../../util/random.js";
import type { JudgedTrace } from "./runs.js";

/**
 * What a stopping rule watches: the belief itself, the GRU's probability that the answer is right, or what the GRUs
 * expect to gain by waiting for the last answer, P(right at the end) - P(right now): an image stops once that has
 * fallen to a level, the price of waiting.
 */
export const RULES = ["confidence", "margin", "entropy", "patience", "right (GRU)", "gain (GRU)"] as const;
export type Rule = (typeof RULES)[number];

/** How well a signal tells right answers from wrong ones at a timestep. */
export interface JudgementRow {
  readonly model: string;
  readonly seed: number;
  readonly timestep: number;
  readonly signal: "confidence" | "GRU";
  readonly auroc: number;
  /** 95 % bootstrap interval. */
  readonly low: number;
  readonly high: number;
}

/**
 * AUROC of right against wrong answers, of the confidence and of the GRU, at each timestep; none where all answers
 * are of one kind.
 */
export function judgementRows({ model, seed, run, trace, right }: JudgedTrace): JudgementRow[] {
  const { timesteps, examples } = trace;
  const correct = correctness(trace);
  const confidence = confidences(trace);
  return Array.from({ length: timesteps }, (_, t) => t).flatMap((timestep) => {
    const at = <Values extends Float64Array | Uint8Array>(values: Values) =>
      values.subarray(timestep * examples, (timestep + 1) * examples) as Values;
    const answers = at(correct);
    if (new Set(answers).size < 2) return [];
    const stream = randomStream(seed, `bootstrap/correctness/${run}/${model}/${timestep}`);
    const { values, intervals } = aurocBootstrap([at(confidence), at(right)], answers, { stream });
    return (["confidence", "GRU"] as const).map((signal, i) => ({
      model,
      seed,
      timestep,
      signal,
      auroc: values[i] as number,
      low: intervals[i]?.low as number,
      high: intervals[i]?.high as number,
    }));
  });
}

/** The area under the speed-accuracy curve of a rule, a mean accuracy over all mean stopping times. */
export interface AreaRow {
  readonly model: string;
  readonly seed: number;
  readonly rule: Rule;
  readonly area: number;
}

/** A point of a rule's curve, at the same mean stopping times for all rules. */
export interface StoppingRow {
  readonly model: string;
  readonly seed: number;
  readonly rule: Rule;
  readonly meanStoppingTime: number;
  readonly accuracy: number;
  /** Accuracy less that of the confidence rule at the same mean stopping time. */
  readonly lead: number;
}

/** Steps of the mean stopping time at which rules are compared. */
const GRID = 0.1;

/** Every rule's curve: areas over the range compared, and points on a common grid of that range. */
export function stoppingRows(judged: JudgedTrace): { areas: AreaRow[]; points: StoppingRow[] } {
  const { model, seed } = judged;
  const curves = RULES.map((rule) => ruleCurve(rule, judged));
  const range = commonRange(curves);
  const first = Math.ceil(range.from / GRID - 1e-9);
  const last = Math.floor(range.to / GRID + 1e-9);
  const grid = Array.from({ length: last - first + 1 }, (_, i) =>
    Math.min(range.to, Math.max(range.from, (first + i) * GRID)),
  );
  const [confidence] = curves as [SpeedAccuracyPoint[]];
  return {
    areas: RULES.map((rule, i) => ({
      model,
      seed,
      rule,
      area: areaUnderSpeedAccuracy(curves[i] as SpeedAccuracyPoint[], range),
    })),
    points: RULES.flatMap((rule, i) =>
      grid.map((meanStoppingTime) => {
        const accuracy = accuracyAtSpeed(curves[i] as SpeedAccuracyPoint[], meanStoppingTime);
        const lead = accuracy - accuracyAtSpeed(confidence, meanStoppingTime);
        return { model, seed, rule, meanStoppingTime, accuracy, lead };
      }),
    ),
  };
}

/** Speed-accuracy curve of a rule; its thresholds are levels of `ruleSignal`. */
export function ruleCurve(rule: Rule, judged: JudgedTrace): SpeedAccuracyPoint[] {
  // A patience counts timesteps: its own levels are all that there are.
  if (rule === "patience") return speedAccuracyCurve(judged.trace, { signal: rule });
  return signalSpeedAccuracyCurve(judged.trace, ruleSignal(rule, judged));
}

/** What a rule watches, [T, N], high where an image shall stop. */
export function ruleSignal(rule: Rule, { trace, right, gain }: JudgedTrace): Float64Array {
  if (rule === "right (GRU)") return right;
  if (rule === "gain (GRU)") return gain.map((value) => -value);
  return stoppingSignal(trace, rule);
}

import { accuracyAtSpeed } from "../../../trace/accuracy-at-speed.js";
import { areaUnderSpeedAccuracy, commonRange } from "../../../trace/area.js";
import {
  signalSpeedAccuracyCurve,
  type SpeedAccuracyPoint,
  speedAccuracyCurve,
} from "../../../trace/speed-accuracy-curve.js";
import { subtrace } from "../../../trace/subtrace.js";
import { stoppingSignal } from "../../../trace/stopping-time.js";
import { placesWithoutGroup } from "../../evidence/image-groups.js";
import type { ScoredTrace } from "./runs.js";

/**
 * What a stopping rule watches: the belief itself, the time alone (a deadline, the same for all images), the GRU's probability that the answer is right, or what the GRUs
 * expect to gain by waiting for the last answer, P(right at the end) - P(right now): an image stops once that has
 * fallen to a level, the price of waiting.
 */
export const RULES = [
  "confidence",
  "margin",
  "entropy",
  "patience",
  "deadline",
  "right (GRU)",
  "gain (GRU)",
] as const;
export type Rule = (typeof RULES)[number];

/** The area under the speed-accuracy curve of a rule, a mean accuracy over all mean stopping times. */
export interface AreaRow {
  readonly model: string;
  readonly seed: number;
  readonly rule: Rule;
  readonly area: number;
  /** Without each group of images. */
  readonly withoutGroup: readonly number[];
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
export function stoppingRows(scored: ScoredTrace): { areas: AreaRow[]; points: StoppingRow[] } {
  const { model, seed } = scored;
  const curves = curvesOf(scored);
  const range = commonRange(curves);
  const first = Math.ceil(range.from / GRID - 1e-9);
  const last = Math.floor(range.to / GRID + 1e-9);
  const grid = Array.from({ length: last - first + 1 }, (_, i) =>
    Math.min(range.to, Math.max(range.from, (first + i) * GRID)),
  );
  const [confidence] = curves as [SpeedAccuracyPoint[]];
  const areas = areasUnder(curves);
  const withoutGroup = placesWithoutGroup(scored.trace.ids).map((places) =>
    areasUnder(curvesOf(scoredAt(scored, places))),
  );
  return {
    areas: RULES.map((rule, i) => ({
      model,
      seed,
      rule,
      area: areas[i] as number,
      withoutGroup: withoutGroup.map((group) => group[i] as number),
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

/** The area under each rule's curve, over the range that they have in common. */
function areasUnder(curves: readonly SpeedAccuracyPoint[][]): number[] {
  const range = commonRange(curves);
  return curves.map((curve) => areaUnderSpeedAccuracy(curve, range));
}

/** The trace, and what is said of it, of the images at `places` alone. */
function scoredAt({ trace, right, gain, ...rest }: ScoredTrace, places: readonly number[]): ScoredTrace {
  const at = (signal: Float64Array): Float64Array =>
    Float64Array.from(
      Array.from({ length: trace.timesteps }, (_, t) =>
        places.map((n) => signal[t * trace.examples + n] as number),
      ).flat(),
    );
  return { ...rest, trace: subtrace(trace, places), right: at(right), gain: at(gain) };
}

const curvesOf = (scored: ScoredTrace): SpeedAccuracyPoint[][] =>
  RULES.map((rule) => ruleCurve(rule, scored));

/** Speed-accuracy curve of a rule; its thresholds are levels of `ruleSignal`. */
export function ruleCurve(rule: Rule, scored: ScoredTrace): SpeedAccuracyPoint[] {
  // These count timesteps: their own levels are all that there are.
  if (rule === "patience" || rule === "deadline") return speedAccuracyCurve(scored.trace, { signal: rule });
  return signalSpeedAccuracyCurve(scored.trace, ruleSignal(rule, scored));
}

/** What a rule watches, [T, N], high where an image shall stop. */
export function ruleSignal(rule: Rule, { trace, right, gain }: ScoredTrace): Float64Array {
  if (rule === "right (GRU)") return right;
  if (rule === "gain (GRU)") return gain.map((value) => -value);
  return stoppingSignal(trace, rule);
}

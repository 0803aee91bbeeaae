import { aurocBootstrap } from "../../../trace/auroc.js";
import { confidences, correctness } from "../../../trace/probabilities.js";
import { randomStream } from "../../../util/random.js";
import { aurocWithoutGroup } from "../../evidence/image-groups.js";
import type { ScoredTrace } from "./runs.js";

/** How well a signal tells right answers from wrong ones at a timestep. */
export interface CorrectnessRow {
  readonly model: string;
  readonly seed: number;
  readonly timestep: number;
  readonly signal: "confidence" | "GRU";
  readonly auroc: number;
  /** Without each group of images; NaN where all that is left is of one kind. */
  readonly withoutGroup: readonly number[];
  /** 95 % bootstrap interval. */
  readonly low: number;
  readonly high: number;
}

/**
 * AUROC of right against wrong answers, of the confidence and of the GRU, at each timestep; none where all answers
 * are of one kind.
 */
export function correctnessRows({ model, seed, run, trace, right }: ScoredTrace): CorrectnessRow[] {
  const { timesteps, examples } = trace;
  const correct = correctness(trace);
  const confidence = confidences(trace);
  return Array.from({ length: timesteps }, (_, t) => t).flatMap((timestep) => {
    const at = <Values extends Float64Array | Uint8Array>(values: Values) =>
      values.subarray(timestep * examples, (timestep + 1) * examples) as Values;
    const answers = at(correct);
    if (new Set(answers).size < 2) return [];
    const stream = randomStream(seed, `bootstrap/correctness/${run}/${model}/${timestep}`);
    const signals = [at(confidence), at(right)];
    const { values, intervals } = aurocBootstrap(signals, answers, { stream });
    return (["confidence", "GRU"] as const).map((signal, i) => ({
      model,
      seed,
      timestep,
      signal,
      auroc: values[i] as number,
      withoutGroup: aurocWithoutGroup(signals[i] as Float64Array, answers, trace.ids),
      low: intervals[i]?.low as number,
      high: intervals[i]?.high as number,
    }));
  });
}

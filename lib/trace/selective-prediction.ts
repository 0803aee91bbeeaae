import { UserError } from "../util/errors.js";
import { mean } from "../util/statistics.js";
import { auroc } from "./auroc.js";
import { confidences, correctness } from "./probabilities.js";
import type { Trace } from "./trace.js";

/**
 * How well the confidence tells right answers from wrong ones at each timestep, [T]: the AUROC of max_k p[t, n, k]
 * with "right" as positive (Hendrycks and Gimpel 2017). NaN where all answers are right, or all wrong.
 */
export function failurePredictionAuroc(trace: Trace): Float64Array {
  return perTimestep(trace, auroc);
}

/**
 * Area under the risk-coverage curve at each timestep, [T] (Geifman and El-Yaniv 2017): the mean error rate over all
 * coverages if the least confident answers are left out, 0 at best.
 */
export function areaUnderRiskCoverage(trace: Trace): Float64Array {
  return perTimestep(trace, (confidence, correct) => mean(riskCoverage(confidence, correct)));
}

function perTimestep(
  trace: Trace,
  measure: (confidence: Float64Array, correct: Uint8Array) => number,
): Float64Array {
  const { timesteps, examples } = trace;
  const confidence = confidences(trace);
  const correct = correctness(trace);
  return Float64Array.from({ length: timesteps }, (_, t) => {
    const [start, end] = [t * examples, (t + 1) * examples];
    return measure(confidence.subarray(start, end), correct.subarray(start, end));
  });
}

/**
 * Risk-coverage curve: the error rate among the i most confident of N answers, for i = 1 .. N, [N]:
 *
 *     risk[i] = 1/i #{ wrong answers among the i of highest confidence }
 *
 * Among equally confident answers the wrong ones are spread evenly, which is the mean over their orders. `confidence`
 * [N], `correct` [N] of 1 and 0. Throws a UserError where their lengths differ.
 */
export function riskCoverage(confidence: ArrayLike<number>, correct: ArrayLike<number>): Float64Array {
  const examples = confidence.length;
  if (correct.length !== examples) {
    throw new UserError(`there are ${examples} confidences for ${correct.length} answers`);
  }
  const value = (place: number): number => confidence[place] as number;
  const order = Int32Array.from({ length: examples }, (_, n) => n).sort((a, b) => value(b) - value(a));
  const risk = new Float64Array(examples);
  for (let first = 0, next = 0, wrong = 0; first < examples; first = next) {
    let tiedWrong = 0;
    while (next < examples && value(order[next] as number) === value(order[first] as number)) {
      tiedWrong += 1 - (correct[order[next++] as number] as number);
    }
    for (let i = first; i < next; i++) {
      risk[i] = (wrong + (tiedWrong * (i + 1 - first)) / (next - first)) / (i + 1);
    }
    wrong += tiedWrong;
  }
  return risk;
}

import { table, type ColumnTable } from "arquero";
import { predictions } from "./probabilities.js";
import { stoppingSignal } from "./stopping-time.js";
import type { Trace } from "./trace.js";

/**
 * The trace as a long table to work on with verbs: T N rows, one for each timestep and image, timesteps outermost.
 * Columns: [model,] timestep, image (its place in the data set), label, answer (the most probable class), right (1 or
 * 0), and what stopping rules watch (`StoppingRule`): confidence, margin, entropy (from 0 to 1) [, multiplyAdds
 * (cumulative, an image)]; the columns in brackets where the trace knows them.
 */
export function traceTable(trace: Trace): ColumnTable {
  const { timesteps, examples, model, cost } = trace;
  const timestep = Int32Array.from({ length: timesteps * examples }, (_, row) => Math.floor(row / examples));
  const label = timestep.map((_, row) => trace.labels[row % examples] as number);
  const answer = predictions(trace);
  return table({
    ...(model !== undefined && { model: Array<string>(timestep.length).fill(model) }),
    timestep,
    image: timestep.map((_, row) => trace.ids[row % examples] as number),
    label,
    answer,
    right: Uint8Array.from(answer, (one, row) => (one === label[row] ? 1 : 0)),
    confidence: stoppingSignal(trace, "confidence"),
    margin: stoppingSignal(trace, "margin"),
    entropy: stoppingSignal(trace, "entropy").map((value) => -value),
    ...(cost && { multiplyAdds: Float64Array.from(timestep, (t) => cost.multiplyAdds[t] as number) }),
  });
}

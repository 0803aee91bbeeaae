import { table, type ColumnTable } from "arquero";
import { predictions } from "./probabilities.js";
import { assertShapeAndLabels, type Trace } from "./trace.js";

/**
 * The confusion matrix of every timestep, [T, K, K]: how many examples of class i are answered with class j,
 *
 *     counts[t, i, j] = Σ_n [label[n] = i] [argmax_k logits[t, n, k] = j]
 */
export function confusionOverTime(trace: Trace): Int32Array {
  assertShapeAndLabels(trace);
  const { timesteps, examples, classes, labels } = trace;
  const counts = new Int32Array(timesteps * classes * classes);
  for (const [row, answer] of predictions(trace).entries()) {
    const cell =
      (Math.floor(row / examples) * classes + (labels[row % examples] as number)) * classes + answer;
    counts[cell] = (counts[cell] as number) + 1;
  }
  return counts;
}

/**
 * Confusion over time as a long table: timestep, label, answer, images (how many), share (of the images of that
 * label); pairs of classes that no image makes are left out.
 */
export function confusionTable(trace: Trace): ColumnTable {
  const counts = confusionOverTime(trace);
  const { classes } = trace;
  const rows = Int32Array.from(counts.keys()).filter((cell) => counts[cell] !== 0);
  const row = (cell: number): number => Math.floor(cell / classes);
  const ofLabel = new Int32Array(classes);
  for (const label of trace.labels) ofLabel[label] = (ofLabel[label] as number) + 1;
  const label = rows.map((cell) => row(cell) % classes);
  const images = rows.map((cell) => counts[cell] as number);
  return table({
    timestep: rows.map((cell) => Math.floor(row(cell) / classes)),
    label,
    answer: rows.map((cell) => cell % classes),
    images,
    share: Float64Array.from(images, (count, i) => count / (ofLabel[label[i] as number] as number)),
  });
}

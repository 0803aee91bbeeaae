import { classesOf, classify, classifyGradient } from "./classifier.js";
import { globalAveragePool, globalAveragePoolGradient } from "./global-average-pool.js";
import { scoped, type Tensor2D, tf } from "./tensorflow.js";
import { type Layer, type Pass, type Sequence } from "./pass.js";
import { firstRows, valueAt } from "./timeline.js";

/** One linear classifier for all timesteps, or an internal classifier for each. */
export type Heads = "single" | "perTimestep";

/** Name of the head's tensors at timestep t. */
export function headName(heads: Heads, t: number): string {
  return heads === "single" ? "head" : `head.${t}`;
}

/** Multiply-adds of one head on one image. */
export function headCost(channels: number, classes: number): number {
  return channels * classes;
}

/** Logits [T, B, K], row-major. */
export interface Logits {
  readonly values: Float32Array;
  readonly timesteps: number;
  readonly batch: number;
  readonly classes: number;
}

/**
 * Global average pool, then a linear classifier at every timestep; each distinct step is classified once by each
 * head that reads it. The result leaves TensorFlow as plain numbers: the losses and analyses are pure functions.
 * The pullback takes the gradient by the logits in the same form and leaves `x`, which its maker frees.
 */
export function head(pass: Pass, heads: Heads, x: Sequence, batch: number): Layer<Logits, Float32Array> {
  const timesteps = x.timeline.step.length;
  const features = globalAveragePool(x.values);
  const first = firstRows(x.timeline.rows);
  const rowsAt = (t: number): { start: number; count: number } => {
    const d = valueAt(x.timeline.step, t);
    return { start: valueAt(first, d), count: valueAt(x.timeline.rows, d) };
  };
  const readers = classifications(heads, x);
  const classes = classesOf(pass, headName(heads, 0));
  const values = new Float32Array(timesteps * batch * classes);
  for (const reader of readers) {
    const logits = scoped(() => classify(pass, reader.name, reader.slice(features)));
    for (const t of reader.timesteps) {
      const { start, count } = rowsAt(t);
      for (let b = 0; b < batch; b++) {
        const source = (start - reader.start + (count === 1 ? 0 : b)) * classes;
        values.set(logits.subarray(source, source + classes), (t * batch + b) * classes);
      }
    }
  }
  return {
    y: { values, timesteps, batch, classes },
    pullback: (dlogits) => {
      const dfeatures: Tensor2D[] = [];
      for (const reader of readers) {
        const rows = new Float32Array(reader.count * classes);
        let touched = false;
        for (const t of reader.timesteps) {
          const { start, count } = rowsAt(t);
          for (let b = 0; b < batch; b++) {
            const target = (start - reader.start + (count === 1 ? 0 : b)) * classes;
            const source = (t * batch + b) * classes;
            for (let k = 0; k < classes; k++) {
              const d = dlogits[source + k] as number;
              touched ||= d !== 0;
              rows[target + k] = (rows[target + k] as number) + d;
            }
          }
        }
        // A head that takes no part in the loss has no gradient, and so stays as it is.
        if (!touched) continue;
        const padded = tf.tidy(() => {
          return tf.pad(classifyGradient(pass, reader.name, reader.slice(features), rows), [
            [reader.start, features.shape[0] - reader.start - reader.count],
            [0, 0],
          ]);
        });
        dfeatures.push(padded);
      }
      const dpooled = dfeatures.length === 0 ? tf.zerosLike(features) : tf.addN(dfeatures);
      const dx = globalAveragePoolGradient(dpooled, x.values);
      tf.dispose([features, dpooled, ...dfeatures]);
      return dx;
    },
  };
}

interface Classification {
  readonly name: string;
  readonly timesteps: readonly number[];
  /** Rows of the pooled features that this head reads: start, count. */
  readonly start: number;
  readonly count: number;
  readonly slice: (features: Tensor2D) => Tensor2D;
}

/** The single head reads all distinct steps at once; head t reads only the step that holds at timestep t. */
function classifications(heads: Heads, x: Sequence): Classification[] {
  const timesteps = x.timeline.step.map((_, t) => t);
  const first = firstRows(x.timeline.rows);
  if (heads === "single") {
    const count = x.values.shape[0];
    return [{ name: "head", timesteps, start: 0, count, slice: (features) => tf.clone(features) }];
  }
  return timesteps.map((t) => {
    const d = valueAt(x.timeline.step, t);
    const start = valueAt(first, d);
    const count = valueAt(x.timeline.rows, d);
    return {
      name: headName(heads, t),
      timesteps: [t],
      start,
      count,
      slice: (features) => tf.slice(features, [start, 0], [count, features.shape[1]]),
    };
  });
}

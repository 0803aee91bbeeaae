import { type Affine, type Kernels, unbiasing } from "./kernels.js";
import { joinRows, splitRows } from "./rows.js";
import { type Tensor, type Tensor1D, type Tensor2D, type Tensor4D, tf } from "../tensorflow.js";
import { ABSENT, valueAt } from "../timeline.js";

type Normalized = ReturnType<Kernels["normalize"]>;
type NormGradient = ReturnType<Kernels["normalizeGradient"]>;

/** Batch norm composed of TensorFlow's operations, one distinct step after the other. */
export const composedNorm: Pick<
  Kernels,
  "normalize" | "normalizeGradient" | "updateStatistics" | "scaleAndShift"
> = {
  normalize: (x, scale, offset, { rows, epsilon, relu }) =>
    tf.tidy(() => {
      const means: Tensor[] = [];
      const variances: Tensor[] = [];
      const parts = splitRows(x, rows).map((part, d) => {
        const { mean, variance } = tf.moments(part, [0, 1, 2]);
        means.push(mean);
        variances.push(variance);
        const gain = tf.div(row(scale, d), tf.sqrt(tf.add(variance, epsilon)));
        const y: Tensor4D = tf.add(tf.mul(tf.sub(part, mean), gain), row(offset, d));
        return relu ? tf.relu(y) : y;
      });
      return { y: joinRows(parts), mean: tf.stack(means), variance: tf.stack(variances) };
    }) as Normalized,

  normalizeGradient: (dy, x, scale, offset, statistics, { rows, epsilon, relu }) =>
    tf.tidy(() => {
      const dscales: Tensor[] = [];
      const doffsets: Tensor[] = [];
      const xs = splitRows(x, rows);
      const parts = splitRows(dy, rows).map((part, d) => {
        const deviation = tf.sqrt(tf.add(row(statistics.variance, d), epsilon));
        const normalized = tf.div(tf.sub(valueAt(xs, d), row(statistics.mean, d)), deviation);
        const passed = relu
          ? tf.mul(part, tf.step(tf.add(tf.mul(normalized, row(scale, d)), row(offset, d))))
          : part;
        const doffset = tf.sum(passed, [0, 1, 2]);
        const dscale = tf.sum(tf.mul(passed, normalized), [0, 1, 2]);
        dscales.push(dscale);
        doffsets.push(doffset);
        const n = part.shape[0] * part.shape[1] * part.shape[2];
        const centred = tf.sub(tf.sub(passed, tf.div(doffset, n)), tf.mul(normalized, tf.div(dscale, n)));
        return tf.mul<Tensor4D>(centred, tf.div(row(scale, d), deviation));
      });
      const collected = (ofSteps: Tensor[]): Tensor =>
        isShared(scale) ? tf.addN(ofSteps) : tf.stack(ofSteps);
      return { dx: joinRows(parts), dscale: collected(dscales), doffset: collected(doffsets) };
    }) as NormGradient,

  updateStatistics: (running, batch, { step, momentum, values }) =>
    tf.tidy(() => {
      const shares = step.map((d) => (d === ABSENT ? 0 : momentum));
      const share = tf.tensor2d(shares, [step.length, 1]);
      const source = tf.tensor1d(
        step.map((d) => Math.max(d, 0)),
        "int32",
      );
      const blend = (before: Tensor2D, fresh: Tensor2D): Tensor2D =>
        tf.add(tf.mul(before, tf.sub(1, share)), tf.mul(tf.gather(fresh, source), share));
      return {
        mean: blend(running.mean, batch.mean),
        variance: blend(running.variance, tf.mul(batch.variance, unbiasing(values))),
      };
    }),

  scaleAndShift: (x, { gain, bias, rows, relu }) =>
    tf.tidy(() =>
      joinRows(
        splitRows(x, rows).map((part, d) => {
          const y: Tensor4D = tf.add(tf.mul(part, row(gain, d)), row(bias, d));
          return relu ? tf.relu(y) : y;
        }),
      ),
    ),
};

/** Row d of a [D, C] tensor, as [C]; a tensor [C] is every row. */
function row(table: Affine, d: number): Tensor {
  if (isShared(table)) return table;
  return tf.reshape(tf.slice(table, [d, 0], [1, table.shape[1]]), [table.shape[1]]);
}

function isShared(affine: Affine): affine is Tensor1D {
  return affine.rank === 1;
}

import { add, cast, only, slice } from "./elementwise.js";
import { attribute, dtypeOf, runNative } from "./native-operation.js";
import { type Tensor4D, tf } from "../tensorflow.js";
import { firstRows, type StepSelection, type Timeline, valueAt } from "../timeline.js";

/** Rows of the folded batch axis: values [N, H, W, C], N the rows of all distinct steps in order. */

/** The rows of each distinct step, one tensor a step. */
export function splitRows(x: Tensor4D, rows: readonly number[]): Tensor4D[] {
  const first = firstRows(rows);
  const [, height, width, channels] = x.shape;
  return rows.map((count, d) => slice(x, [valueAt(first, d), 0, 0, 0], [count, height, width, channels]));
}

/** Values one after another on the first axis. */
export function joinRows(parts: readonly Tensor4D[]): Tensor4D {
  const first = valueAt(parts, 0);
  if (parts.length === 1) return tf.clone(first);
  if (dtypeOf(first) === "float32") return tf.concat([...parts], 0);
  const attributes = [
    attribute.integer("N", parts.length),
    attribute.dtype("T", dtypeOf(first)),
    attribute.int32Type("Tidx"),
  ];
  return tf.tidy(() => only(runNative("ConcatV2", attributes, [...parts, tf.scalar(0, "int32")])));
}

/** The distinct steps of `selection`, taken from `x` and laid one after another. */
export function gatherSteps(x: Tensor4D, before: Timeline, selection: StepSelection): Tensor4D {
  return tf.tidy(() => {
    const parts = splitRows(x, before.rows);
    return joinRows(selection.source.map((d) => valueAt(parts, d)));
  });
}

/** Gradient of `gatherSteps`: what each old step receives from all the new steps taken from it. */
export function gatherStepsGradient(dy: Tensor4D, before: Timeline, selection: StepSelection): Tensor4D {
  return tf.tidy(() => {
    const parts = splitRows(dy, selection.timeline.rows);
    const [, height, width, channels] = dy.shape;
    return joinRows(
      before.rows.map((rows, d) => {
        const received = parts.filter((_, i) => selection.source[i] === d);
        return received.length === 0
          ? cast<Tensor4D>(tf.zeros([rows, height, width, channels]), dtypeOf(dy))
          : received.reduce(add);
      }),
    );
  });
}

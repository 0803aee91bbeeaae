import type { Kernels, MergeSteps } from "./kernels.js";
import { joinRows, splitRows } from "./rows.js";
import { type Tensor4D, tf } from "../tensorflow.js";
import { ABSENT, type Timeline, valueAt } from "../timeline.js";

/** The meeting of residual and shortcut composed of TensorFlow's operations, one distinct step after the other. */
export const composedMerge: Pick<Kernels, "merge" | "mergeGradient"> = {
  merge: (residual, shortcut, { residual: timeline, shortcut: shortcutTimeline, plan, relu }) =>
    tf.tidy(() => {
      const u = splitRows(residual, timeline.rows);
      const x = shortcut === undefined ? [] : splitRows(shortcut, shortcutTimeline?.rows ?? []);
      const [, height, width, channels] = residual.shape;
      let z: Tensor4D | undefined;
      const steps = plan.residual.map((from, d) => {
        const taken = from === ABSENT ? undefined : tf.mul<Tensor4D>(valueAt(u, from), plan.gain);
        z = sumOf(plan.carry === 0 || z === undefined ? undefined : tf.mul<Tensor4D>(z, plan.carry), taken);
        const instant = valueAt(plan.shortcut, d);
        const sum = sumOf(
          d < plan.firstCounted ? undefined : z,
          instant === ABSENT ? undefined : valueAt(x, instant),
        );
        // A step that one row stands for is repeated by the addition.
        const zero: Tensor4D = tf.zeros([valueAt(plan.timeline.rows, d), height, width, channels]);
        const y = sum === undefined ? zero : tf.add<Tensor4D>(zero, sum);
        return relu ? tf.relu(y) : y;
      });
      return joinRows(steps);
    }),

  mergeGradient: (dy, y, steps) =>
    tf.tidy((): { dresidual: Tensor4D; dshortcut: Tensor4D } => composedGradient(dy, y, steps)),
};

function composedGradient(dy: Tensor4D, y: Tensor4D, { residual, shortcut, plan, relu }: MergeSteps) {
  const dsum = splitRows(relu ? tf.mul(dy, tf.step(y)) : dy, plan.timeline.rows);
  const [du, dx] = [new StepGradients(residual), new StepGradients(shortcut ?? { step: [], rows: [] })];
  let dz: Tensor4D | undefined;
  for (let d = dsum.length - 1; d >= 0; d--) {
    const own = valueAt(dsum, d);
    const instant = valueAt(plan.shortcut, d);
    if (shortcut !== undefined && instant !== ABSENT) dx.add(instant, own);
    const carried = dz === undefined || plan.carry === 0 ? undefined : tf.mul<Tensor4D>(dz, plan.carry);
    dz = sumOf(d < plan.firstCounted ? tf.zerosLike(own) : own, carried);
    const from = valueAt(plan.residual, d);
    if (from !== ABSENT && dz !== undefined) du.add(from, tf.mul(dz, plan.gain));
  }
  return { dresidual: du.whole(dy), dshortcut: dx.whole(dy) };
}

/** What each distinct step of a summand receives. */
class StepGradients {
  readonly #sums: (Tensor4D | undefined)[];

  constructor(readonly timeline: Timeline) {
    this.#sums = timeline.rows.map(() => undefined);
  }

  /** A row that stands for the whole batch receives the sum over it. */
  add(d: number, part: Tensor4D): void {
    const fitted = part.shape[0] > valueAt(this.timeline.rows, d) ? tf.sum<Tensor4D>(part, 0, true) : part;
    this.#sums[d] = sumOf(this.#sums[d], fitted);
  }

  whole({ shape: [, height, width, channels] }: Tensor4D): Tensor4D {
    const zeros = (rows: number): Tensor4D => tf.zeros([rows, height, width, channels]);
    if (this.#sums.length === 0) return zeros(0);
    return joinRows(this.#sums.map((sum, d) => sum ?? zeros(valueAt(this.timeline.rows, d))));
  }
}

function sumOf(a: Tensor4D | undefined, b: Tensor4D | undefined): Tensor4D | undefined {
  return a === undefined || b === undefined ? (a ?? b) : tf.add<Tensor4D>(a, b);
}

import { kernels } from "./backend/chosen-kernels.js";
import { relu, reluGradient } from "./backend/elementwise.js";
import { concatenateChannels, concatenateChannelsGradient } from "./concatenation.js";
import type { MergePlan } from "./delay.js";
import type { Layer, Sequence } from "./pass.js";
import { type Tensor4D, tf } from "./tensorflow.js";
import { valueAt } from "./timeline.js";

/** How what passes at once (the shortcut) and what is delayed (the branch) come together: out[t] = combine(shortcut[t], z[t]). */
export type CombinationKind = "addRelu" | "concatenate";

/** Both with their gradients; z is the delayed branch, which counts as zero where it is left out. */
export interface Combination {
  /** At all timesteps, over the distinct steps of the plan. */
  join(
    shortcut: Sequence,
    branch: Sequence,
    plan: MergePlan,
  ): { y: Sequence; pullback: (dy: Tensor4D) => { dshortcut: Tensor4D; dbranch: Tensor4D } };
  /** Where the branch, of so many channels, never counts. The pullback gives the gradient by the shortcut. */
  alone(shortcut: Sequence, channels: number): Layer;
}

/** out[t] = relu(z[t] + shortcut[t]): the residual block. */
const addRelu: Combination = {
  join: (shortcut, branch, plan) => {
    const steps = { residual: branch.timeline, shortcut: shortcut.timeline, plan, relu: true };
    const values = kernels.merge(branch.values, shortcut.values, steps);
    return {
      y: { values, timeline: plan.timeline },
      pullback: (dy) => {
        const { dresidual, dshortcut } = kernels.mergeGradient(dy, values, steps);
        tf.dispose([dy, values]);
        return { dshortcut, dbranch: dresidual };
      },
    };
  },
  alone: (shortcut) => {
    const values = relu(shortcut.values);
    return {
      y: { values, timeline: shortcut.timeline },
      pullback: (dy) => {
        const dshortcut = reluGradient(dy, values);
        tf.dispose([dy, values]);
        return dshortcut;
      },
    };
  },
};

/** out[t] = concat(shortcut[t], z[t]): the dense layer. */
const concatenated: Combination = {
  join: (shortcut, branch, plan) => {
    const values = concatenateChannels(shortcut, branch, plan);
    const channels = valueAt(shortcut.values.shape, 3);
    return {
      y: { values, timeline: plan.timeline },
      pullback: (dy) => {
        const back = concatenateChannelsGradient(dy, channels, shortcut.timeline, branch.timeline, plan);
        tf.dispose([dy, values]);
        return { dshortcut: back.dx, dbranch: back.dfeatures };
      },
    };
  },
  alone: (shortcut, channels) => {
    const values = withZeros(shortcut.values, channels);
    const { shape } = shortcut.values;
    return {
      y: { values, timeline: shortcut.timeline },
      pullback: (dy) => {
        const dshortcut = tf.slice(dy, [0, 0, 0, 0], shape);
        tf.dispose([dy, values]);
        return dshortcut;
      },
    };
  },
};

function withZeros(x: Tensor4D, channels: number): Tensor4D {
  return tf.pad(x, [
    [0, 0],
    [0, 0],
    [0, 0],
    [0, channels],
  ]);
}

export const COMBINATIONS: Readonly<Record<CombinationKind, Combination>> = {
  addRelu,
  concatenate: concatenated,
};

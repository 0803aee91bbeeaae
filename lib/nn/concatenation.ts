import type { MergePlan } from "./delay.js";
import { merge, mergeGradient } from "./ops.js";
import type { Sequence } from "./pass.js";
import { type Tensor4D, tf } from "./tensorflow.js";
import { ABSENT, type Timeline } from "./timeline.js";

/**
 * Instant channels and delayed features, one after the other on the channel axis, over the distinct steps of `plan`:
 *
 *     y[d] = concat(x[shortcut[d]], z[d])        (z: the delayed features, as the plan of lib/nn/delay.ts has it)
 *
 * The plan's steps are the finer of both timelines. x [N, H, W, C], features [N', H, W, k] -> [N'', H, W, C + k].
 */
export function concatenate(x: Sequence, features: Sequence, plan: MergePlan): Tensor4D {
  return tf.tidy(() => {
    const instant = merge(x.values, x.timeline, undefined, instantPart(plan), false);
    const delayed = merge(features.values, features.timeline, undefined, delayedPart(plan), false);
    return tf.concat([instant, delayed], 3);
  });
}

/** Gradient of `concatenate`: dy [N'', H, W, C + k] -> by the instant channels, and by the undelayed features. */
export function concatenateGradient(
  dy: Tensor4D,
  channels: number,
  x: Timeline,
  features: Timeline,
  plan: MergePlan,
): { dx: Tensor4D; dfeatures: Tensor4D } {
  return tf.tidy(() => {
    const [rows, height, width, both] = dy.shape;
    const dinstant = tf.slice(dy, [0, 0, 0, 0], [rows, height, width, channels]);
    const ddelayed = tf.slice(dy, [0, 0, 0, channels], [rows, height, width, both - channels]);
    return {
      dx: mergeGradient(dinstant, dinstant, x, undefined, instantPart(plan), false).dresidual,
      dfeatures: mergeGradient(ddelayed, ddelayed, features, undefined, delayedPart(plan), false).dresidual,
    };
  });
}

/** The plan's timing of the instant channels alone: they pass as a residual without delay. */
function instantPart({ timeline, shortcut }: MergePlan): MergePlan {
  return { timeline, carry: 0, gain: 1, firstCounted: 0, residual: shortcut, shortcut: nothing(shortcut) };
}

/** The plan's timing of the delayed features alone. */
function delayedPart(plan: MergePlan): MergePlan {
  return { ...plan, shortcut: nothing(plan.shortcut) };
}

function nothing(steps: readonly number[]): number[] {
  return steps.map(() => ABSENT);
}

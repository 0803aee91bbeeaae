import type { MergePlan } from "./delay.js";
import { kernels } from "./backend/chosen-kernels.js";
import type { MergeSteps } from "./backend/kernels.js";
import { type Tensor4D, tf } from "./tensorflow.js";
import type { Sequence } from "./pass.js";
import { ABSENT, isIdentity, type Timeline } from "./timeline.js";

/**
 * Instant channels and delayed features, one after the other on the channel axis, over the distinct steps of `plan`:
 *
 *     y[d] = concat(x[shortcut[d]], z[d])        (z: the delayed features, as the plan of lib/nn/delay.ts has it)
 *
 * The plan's steps are the finer of both timelines. x [N, H, W, C], features [N', H, W, k] -> [N'', H, W, C + k].
 */
export function concatenateChannels(x: Sequence, features: Sequence, plan: MergePlan): Tensor4D {
  return tf.tidy(() => {
    return tf.concat([retimed(x, instantPart(plan)), retimed(features, delayedPart(plan))], 3);
  });
}

/** The steps of the plan, of a value that meets none other; the value itself where they are its own. */
function retimed({ values, timeline }: Sequence, plan: MergePlan): Tensor4D {
  const isUnchanged =
    plan.carry === 0 &&
    plan.gain === 1 &&
    isIdentity({ timeline: plan.timeline, source: plan.residual }, timeline) &&
    plan.timeline.rows.join() === timeline.rows.join();
  return isUnchanged ? values : kernels.merge(values, undefined, alone(timeline, plan));
}

/** Gradient of `concatenateChannels`: dy [N'', H, W, C + k] -> by the instant channels, and by the undelayed features. */
export function concatenateChannelsGradient(
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
      dx: kernels.mergeGradient(dinstant, dinstant, alone(x, instantPart(plan))).dresidual,
      dfeatures: kernels.mergeGradient(ddelayed, ddelayed, alone(features, delayedPart(plan))).dresidual,
    };
  });
}

/** Nothing is added and no ReLU follows. */
function alone(timeline: Timeline, plan: MergePlan): MergeSteps {
  return { residual: timeline, shortcut: undefined, plan, relu: false };
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

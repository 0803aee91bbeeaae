import { convolutionCost, type ConvolutionSpec, outputSide } from "./convolution.js";
import { convolutionAndNorm } from "./convolution-and-norm.js";
import { type Delay, planMerge } from "./delay.js";
import { kernels } from "./backend/chosen-kernels.js";
import { type Tensor4D, tf } from "./tensorflow.js";
import type { Layer, Pass, Sequence } from "./pass.js";

/** What stands before the first block: 3x3 stride 1 for small images ("cifar"), 7x7 stride 2 for large ("imagenet"). */
export type StemKind = "cifar" | "imagenet";

export function stemConvolution(kind: StemKind, channels: number): ConvolutionSpec {
  return {
    name: "stem.conv",
    size: kind === "cifar" ? 3 : 7,
    stride: kind === "cifar" ? 1 : 2,
    inputs: 3,
    outputs: channels,
  };
}

/** The stem's max-pool. */
export const POOL = { size: 3, stride: 2 };

/** Side of the stem's result, after the max-pool. */
export function stemOutputSide(spec: ConvolutionSpec, side: number): number {
  return outputSide(POOL, outputSide(spec, side));
}

/** Multiply-adds of one evaluation of the stem on one image of side `side`. */
export function stemCost(spec: ConvolutionSpec, side: number): number {
  return convolutionCost(spec, outputSide(spec, side));
}

/** Convolution -> batch norm -> ReLU -> 3x3 max-pool, stride 2 -> delay. Nothing lies below it, so its pullback ends there. */
export function stem(
  pass: Pass,
  spec: ConvolutionSpec,
  delay: Delay,
  images: Sequence,
): Layer<Sequence, Tensor4D, void> {
  const normalized = convolutionAndNorm(pass, spec, "stem.norm", images, true);
  const pooled = kernels.maxPool(normalized.y.values);
  const timeline = normalized.y.timeline;
  const plan = planMerge(delay, timeline);
  const steps = { residual: timeline, shortcut: undefined, plan, relu: false };
  const values = kernels.merge(pooled, undefined, steps);
  return {
    y: { values, timeline: plan.timeline },
    pullback: (dy) => {
      const { dresidual, dshortcut } = kernels.mergeGradient(dy, values, steps);
      tf.dispose([dy, values, dshortcut]);
      const dnormalized = kernels.maxPoolGradient(dresidual, normalized.y.values, pooled);
      tf.dispose([dresidual, pooled]);
      normalized.filterPullback(dnormalized);
    },
  };
}

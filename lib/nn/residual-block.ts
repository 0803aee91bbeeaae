import { convolution, convolutionCost, type ConvolutionSpec, outputSide } from "./convolution.js";
import { convolutionAndNorm } from "./convolution-and-norm.js";
import { type Delay, firstNeeded, type MergePlan, planMerge } from "./delay.js";
import { kernels } from "./backend/chosen-kernels.js";
import { add, relu, reluGradient } from "./backend/elementwise.js";
import { tf } from "./tensorflow.js";
import type { Layer, Pass, Pullback, Sequence } from "./pass.js";
import { selectSteps } from "./select-steps.js";
import { keepStatistics } from "./temporal-batch-norm.js";
import { selectFrom, type Selection, type Timeline } from "./timeline.js";

/** When a block's residual takes part. The delay holds back the stem in both. */
export type Scheme =
  /** Every block updates at every timestep, and its residual is delayed. */
  | { readonly kind: "parallel"; readonly delay: Delay }
  /**
   * One block more at each timestep: the residual of block i (from 1) counts as zero until t >= i, and then at once,
   * so that n blocks take n evaluations; or delayed, as published.
   */
  | {
      readonly kind: "serial";
      readonly delay: Delay;
      /**
       * As the authors' code has it: the residual is delayed here too. What block i adds at t = i is of its input at
       * t = i - 1, which is not its last: blocks 1 to 8 are first felt at t = 2, 2, 3, ..., 8, each is evaluated twice
       * on a fixed image, and under changing frames the answer at t depends on frames 0 to t - 1.
       */
      readonly asPublished?: boolean;
      /**
       * Blocks are evaluated also where they count as zero, as in the authors' code, so that running statistics that
       * nothing reads are kept up as well. It changes nothing else.
       */
      readonly keepsUnreadStatistics?: boolean;
    };

/** The delay of the residuals: the scheme's own, but none in the serial scheme unless it is as published. */
export function residualDelay(scheme: Scheme): Delay {
  return scheme.kind === "parallel" || scheme.asPublished === true ? scheme.delay : { kind: "none" };
}

/** First timestep at which a block's residual counts. */
export function countsFrom(scheme: Scheme, position: number): number {
  return scheme.kind === "serial" ? position : 0;
}

/** A residual block: its chain of convolutions (each with batch norm, ReLU between), and its shortcut. */
export interface BlockSpec {
  readonly name: string;
  /** Place in the network, counted from 1. */
  readonly position: number;
  readonly convolutions: readonly ConvolutionSpec[];
  /** The 1x1 convolution of a block that changes shape; it has no batch norm. */
  readonly shortcut: ConvolutionSpec | undefined;
}

/** Two 3x3 convolutions. */
export function basicBlock(
  name: string,
  position: number,
  inputs: number,
  channels: number,
  stride: number,
): BlockSpec {
  const convolutions = [
    { name: `${name}.conv1`, size: 3, stride, inputs, outputs: channels },
    { name: `${name}.conv2`, size: 3, stride: 1, inputs: channels, outputs: channels },
  ];
  return { name, position, convolutions, shortcut: shortcutOf(name, inputs, channels, stride) };
}

/** 1x1 to reduce, 3x3 with the stride, 1x1 to expand fourfold. */
export function bottleneck(
  name: string,
  position: number,
  inputs: number,
  channels: number,
  stride: number,
): BlockSpec {
  const outputs = 4 * channels;
  const convolutions = [
    { name: `${name}.conv1`, size: 1, stride: 1, inputs, outputs: channels },
    { name: `${name}.conv2`, size: 3, stride, inputs: channels, outputs: channels },
    { name: `${name}.conv3`, size: 1, stride: 1, inputs: channels, outputs },
  ];
  return { name, position, convolutions, shortcut: shortcutOf(name, inputs, outputs, stride) };
}

function shortcutOf(
  name: string,
  inputs: number,
  outputs: number,
  stride: number,
): ConvolutionSpec | undefined {
  return inputs === outputs && stride === 1
    ? undefined
    : { name: `${name}.shortcut`, size: 1, stride, inputs, outputs };
}

/** Side of a block's result for an input of side `side`. */
export function blockOutputSide(spec: BlockSpec, side: number): number {
  return spec.convolutions.reduce((s, convolution) => outputSide(convolution, s), side);
}

/** Multiply-adds of one evaluation of a block on one image of side `side`: of its residual and of its shortcut. */
export function blockCost(spec: BlockSpec, side: number): { residual: number; shortcut: number } {
  let current = side;
  let residual = 0;
  for (const convolution of spec.convolutions) {
    current = outputSide(convolution, current);
    residual += convolutionCost(convolution, current);
  }
  return { residual, shortcut: spec.shortcut === undefined ? 0 : convolutionCost(spec.shortcut, current) };
}

/** Which distinct steps of a block's input its residual is evaluated on, and how residual and shortcut meet. */
export function planBlock(
  scheme: Scheme,
  position: number,
  input: Timeline,
): { residualInput: Selection; plan: (residual: Timeline, shortcut: Timeline) => MergePlan } {
  const delay = residualDelay(scheme);
  const from = countsFrom(scheme, position);
  const everywhere = scheme.kind === "serial" && scheme.keepsUnreadStatistics === true;
  return {
    residualInput: selectFrom(input, everywhere ? 0 : firstNeeded(delay, from)),
    plan: (residual, shortcut) => planMerge(delay, residual, shortcut, from),
  };
}

/**
 * One residual block at every timestep:
 *
 *     out[t] = relu(delay(residual(x))[t] + shortcut(x[t]))
 *
 * The pullback leaves `x`, which its maker frees.
 */
export function residualBlock(pass: Pass, spec: BlockSpec, scheme: Scheme, x: Sequence): Layer {
  const { residualInput, plan } = planBlock(scheme, spec.position, x.timeline);
  if (residualInput.timeline.rows.length === 0) return shortcutAlone(pass, spec, x);
  const input = selectSteps(x, residualInput);
  const residual = residualBranch(pass, spec, input.y);
  const shortcut = spec.shortcut === undefined ? undefined : convolution(pass, spec.shortcut, x);
  const instant = shortcut?.y ?? x;
  const merged = plan(residual.y.timeline, instant.timeline);
  const steps = { residual: residual.y.timeline, shortcut: instant.timeline, plan: merged, relu: true };
  const values = kernels.merge(residual.y.values, instant.values, steps);
  return {
    y: { values, timeline: merged.timeline },
    pullback: (dy) => {
      const back = kernels.mergeGradient(dy, values, steps);
      tf.dispose([dy, values]);
      const dresidual = input.pullback(residual.pullback(back.dresidual));
      const dshortcut = shortcut === undefined ? back.dshortcut : shortcut.pullback(back.dshortcut);
      const dx = add(dresidual, dshortcut);
      tf.dispose([dresidual, dshortcut]);
      return dx;
    },
  };
}

/** A block whose turn comes after the last timestep: out[t] = relu(shortcut(x[t])); its residual learns nothing. */
function shortcutAlone(pass: Pass, spec: BlockSpec, x: Sequence): Layer {
  for (const k of spec.convolutions.keys()) keepStatistics(pass, `${spec.name}.norm${k + 1}`);
  const shortcut = spec.shortcut === undefined ? undefined : convolution(pass, spec.shortcut, x);
  const { values: instant, timeline } = shortcut?.y ?? x;
  const values = relu(instant);
  return {
    y: { values, timeline },
    pullback: (dy) => {
      const dinstant = reluGradient(dy, values);
      tf.dispose([dy, values]);
      return shortcut === undefined ? dinstant : shortcut.pullback(dinstant);
    },
  };
}

/** Convolution and batch norm in turn, ReLU after each but the last. */
export function residualBranch(pass: Pass, spec: BlockSpec, x: Sequence): Layer {
  const pullbacks: Pullback[] = [];
  let y = x;
  for (const [k, convolutionSpec] of spec.convolutions.entries()) {
    const last = k === spec.convolutions.length - 1;
    const normalized = convolutionAndNorm(pass, convolutionSpec, `${spec.name}.norm${k + 1}`, y, !last);
    pullbacks.push(normalized.pullback);
    y = normalized.y;
  }
  return { y, pullback: (dy) => pullbacks.reduceRight((gradient, pullback) => pullback(gradient), dy) };
}

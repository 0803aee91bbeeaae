import { averagePool, averagePoolGradient, averagePoolSide } from "./average-pool.js";
import { concatenate, concatenateGradient } from "./concatenation.js";
import { convolution, convolutionCost, type ConvolutionSpec } from "./convolution.js";
import type { Layer, Pass, Sequence } from "./pass.js";
import { planBlock, type Scheme } from "./residual-block.js";
import { selectSteps } from "./select-steps.js";
import { keepStatistics, temporalBatchNorm } from "./temporal-batch-norm.js";
import { tf } from "./tensorflow.js";
import { valueAt } from "./timeline.js";

/** Batch norm of the input, ReLU, convolution. */
export interface NormalizedConvolution {
  readonly norm: string;
  readonly convolution: ConvolutionSpec;
}

/** A layer of a dense block: 1x1 convolution to four times the growth, 3x3 to the new features. */
export interface DenseLayerSpec {
  readonly kind: "dense";
  /** Place in the network among the dense layers, counted from 1. */
  readonly position: number;
  readonly reduce: NormalizedConvolution;
  readonly grow: NormalizedConvolution;
}

/** What stands between two dense blocks: 1x1 convolution to half of the channels, average pool. */
export interface TransitionSpec {
  readonly kind: "transition";
  readonly halve: NormalizedConvolution;
}

/** Channels of the bottleneck for each channel of growth (Huang et al. 2017). */
const BOTTLENECK = 4;

export function denseLayerSpec(
  name: string,
  position: number,
  inputs: number,
  growth: number,
): DenseLayerSpec {
  const between = BOTTLENECK * growth;
  const part = (n: number, size: number, from: number, outputs: number): NormalizedConvolution => ({
    norm: `${name}.norm${n}`,
    convolution: { name: `${name}.conv${n}`, size, stride: 1, inputs: from, outputs },
  });
  return { kind: "dense", position, reduce: part(1, 1, inputs, between), grow: part(2, 3, between, growth) };
}

/** With an odd number of channels the half is rounded down. */
export function transitionSpec(name: string, inputs: number): TransitionSpec {
  const outputs = Math.floor(inputs / 2);
  return {
    kind: "transition",
    halve: {
      norm: `${name}.norm`,
      convolution: { name: `${name}.conv`, size: 1, stride: 1, inputs, outputs },
    },
  };
}

/** Multiply-adds of a dense layer's new features on one image of side `side`. */
export function denseLayerCost({ reduce, grow }: DenseLayerSpec, side: number): number {
  return convolutionCost(reduce.convolution, side) + convolutionCost(grow.convolution, side);
}

/** Multiply-adds of a transition on one image of side `side`, and the side of its result. */
export function transitionCost({ halve }: TransitionSpec, side: number): { cost: number; side: number } {
  return { cost: convolutionCost(halve.convolution, side), side: averagePoolSide(side) };
}

/** conv(relu(norm(x))). The pullback leaves `x`, which its maker frees. */
export function normalizedConvolution(pass: Pass, spec: NormalizedConvolution, x: Sequence): Layer {
  const normalized = temporalBatchNorm(pass, spec.norm, x, true);
  const convolved = convolution(pass, spec.convolution, normalized.y);
  return { y: convolved.y, pullback: (dy) => normalized.pullback(convolved.pullback(dy)) };
}

/** The new features, not yet delayed: conv3x3(relu(norm(conv1x1(relu(norm(x)))))). */
export function newFeatures(pass: Pass, spec: DenseLayerSpec, x: Sequence): Layer {
  const reduced = normalizedConvolution(pass, spec.reduce, x);
  const grown = normalizedConvolution(pass, spec.grow, reduced.y);
  return { y: grown.y, pullback: (dy) => reduced.pullback(grown.pullback(dy)) };
}

/**
 * One dense layer at every timestep; what came before passes at once, the new features are delayed:
 *
 *     out[t] = concat(x[t], delay(newFeatures(x))[t])
 *
 * The scheme is the residual block's, with new features in the place of its residual. The pullback leaves `x`,
 * which its maker frees.
 */
export function denseLayer(pass: Pass, spec: DenseLayerSpec, scheme: Scheme, x: Sequence): Layer {
  const { residualInput, plan } = planBlock(scheme, spec.position, x.timeline);
  if (residualInput.timeline.rows.length === 0) return withoutFeatures(pass, spec, x);
  const input = selectSteps(x, residualInput);
  const features = newFeatures(pass, spec, input.y);
  const merged = plan(features.y.timeline, x.timeline);
  const values = concatenate(x, features.y, merged);
  return {
    y: { values, timeline: merged.timeline },
    pullback: (dy) => {
      const channels = valueAt(x.values.shape, 3);
      const back = concatenateGradient(dy, channels, x.timeline, features.y.timeline, merged);
      tf.dispose([dy, values]);
      const dinput = input.pullback(features.pullback(back.dfeatures));
      const dx = tf.add<typeof dy>(back.dx, dinput);
      tf.dispose([back.dx, dinput]);
      return dx;
    },
  };
}

/** A layer whose turn comes after the last timestep: its new features are zero and learn nothing. */
function withoutFeatures(pass: Pass, { reduce, grow }: DenseLayerSpec, x: Sequence): Layer {
  for (const { norm } of [reduce, grow]) keepStatistics(pass, norm);
  const values = tf.pad(x.values, [
    [0, 0],
    [0, 0],
    [0, 0],
    [0, grow.convolution.outputs],
  ]);
  const { shape } = x.values;
  return {
    y: { values, timeline: x.timeline },
    pullback: (dy) => {
      const dx = tf.slice(dy, [0, 0, 0, 0], shape);
      tf.dispose([dy, values]);
      return dx;
    },
  };
}

/** averagePool(conv1x1(relu(norm(x)))), at once. The pullback leaves `x`, which its maker frees. */
export function transition(pass: Pass, spec: TransitionSpec, x: Sequence): Layer {
  const halved = normalizedConvolution(pass, spec.halve, x);
  const values = averagePool(halved.y.values);
  return {
    y: { values, timeline: halved.y.timeline },
    pullback: (dy) => {
      const dhalved = averagePoolGradient(dy, halved.y.values.shape);
      tf.dispose([dy, values]);
      return halved.pullback(dhalved);
    },
  };
}

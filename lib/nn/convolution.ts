import { kernels } from "./backend/chosen-kernels.js";
import type { Tensor4D } from "./tensorflow.js";
import { type Layer, parameter, type Pass, recordGradient, type Sequence } from "./pass.js";

/** A convolution without bias, padded by half its size. */
export interface ConvolutionSpec {
  readonly name: string;
  readonly size: number;
  readonly stride: number;
  readonly inputs: number;
  readonly outputs: number;
}

/** Multiply-adds of one evaluation on one image whose result is `side` x `side`: k^2 C C' H' W'. */
export function convolutionCost(spec: ConvolutionSpec, side: number): number {
  return spec.size ** 2 * spec.inputs * spec.outputs * side ** 2;
}

/** Filter shape [k, k, C, C']. */
export function filterShape(spec: ConvolutionSpec): [number, number, number, number] {
  return [spec.size, spec.size, spec.inputs, spec.outputs];
}

/** Side of the result for an input of side `side`: floor((side + 2 floor(k/2) - k) / stride) + 1. */
export function outputSide(spec: Pick<ConvolutionSpec, "size" | "stride">, side: number): number {
  return Math.floor((side + 2 * Math.floor(spec.size / 2) - spec.size) / spec.stride) + 1;
}

export interface Convolved extends Layer {
  /** As the pullback, for a first layer: records the filter's gradient and computes none by the input. */
  readonly filterPullback: (dy: Tensor4D) => void;
}

/** One convolution over all distinct steps at once. The pullbacks leave `x`, which its maker frees. */
export function convolution(pass: Pass, spec: ConvolutionSpec, x: Sequence): Convolved {
  const name = `${spec.name}.weight`;
  const filter = parameter(pass, name) as Tensor4D;
  const values = kernels.convolve(x.values, filter, spec.stride, pass.precision);
  const filterPullback = (dy: Tensor4D): void => {
    recordGradient(
      pass,
      name,
      kernels.convolveFilterGradient(x.values, dy, filter.shape, spec.stride, pass.precision),
    );
    dy.dispose();
    values.dispose();
  };
  return {
    y: { values, timeline: x.timeline },
    filterPullback,
    pullback: (dy) => {
      const dx = kernels.convolveInputGradient(dy, filter, x.values.shape, spec.stride, pass.precision);
      filterPullback(dy);
      return dx;
    },
  };
}

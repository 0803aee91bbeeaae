import type { Precision } from "./backend/kernels.js";
import type { OpenedProgram } from "./opened-program.js";
import type { Tensor, Tensor2D, Tensor4D } from "./tensorflow.js";
import type { Timeline } from "./timeline.js";

/** A value at every timestep: its distinct steps laid one after another on the first axis, [N, H, W, C]. */
export interface Sequence {
  readonly values: Tensor4D;
  readonly timeline: Timeline;
}

/** Named tensors; names as in the reference files ("stages.0.1.norm2.scale"), filters [k, k, in, out], linear [in, out]. */
export type NamedTensors = ReadonlyMap<string, Tensor>;

/** Batch norm folded to y = x gain + bias, one row for each timestep, as evaluation uses it. */
export interface FoldedNorm {
  readonly gain: Tensor2D;
  readonly bias: Tensor2D;
  /** [T] equal numbers where the rows are equal to the last bit, so that those timesteps may be computed once. */
  readonly equalRows: readonly number[];
}

export interface NormSettings {
  readonly epsilon: number;
  /** Share of the new batch in the running statistics. */
  readonly momentum: number;
  /** Scale and offset for each timestep, instead of one for all. */
  readonly temporalAffine: boolean;
}

/** What one run through the network is given, and where it leaves its results. */
export type Pass =
  | {
      readonly kind: "training";
      readonly precision: Precision;
      readonly parameters: NamedTensors;
      readonly statistics: NamedTensors;
      readonly norm: NormSettings;
      /** What is not trained, all but a network's exits, runs by this where it is given. */
      readonly frozen?: EvaluationPass | undefined;
      /** Images in the batch: a one-row step stands for this many equal rows. */
      readonly batch: number;
      /** Running statistics after this batch, filled on the way forward. */
      readonly newStatistics: Map<string, Tensor>;
      /** Gradients by parameter name, filled on the way back. */
      readonly gradients: Map<string, Tensor>;
    }
  | {
      readonly kind: "evaluation";
      readonly precision: Precision;
      readonly parameters: NamedTensors;
      readonly norms: ReadonlyMap<string, FoldedNorm>;
      /** Programs that were opened on this state, by what they are for; freed with the pass. */
      readonly opened: Map<string, OpenedProgram>;
    };

/** What training is given: the parameters and where their gradients go. */
export type TrainingPass = Extract<Pass, { kind: "training" }>;

/** A state made ready for evaluation: batch norms folded, equal rows of their statistics found. */
export type EvaluationPass = Extract<Pass, { kind: "evaluation" }>;

/**
 * Takes the gradient by a layer's output and gives the gradient by its input; parameter gradients go into the
 * pass. It frees the gradient it was given and whatever its forward run had kept.
 */
export type Pullback<Gradient = Tensor4D, Below = Tensor4D> = (dy: Gradient) => Below;

export interface Layer<Output = Sequence, Gradient = Tensor4D, Below = Tensor4D> {
  readonly y: Output;
  readonly pullback: Pullback<Gradient, Below>;
}

/** The parameter called `name`. */
export function parameter(pass: Pass, name: string): Tensor {
  return named(pass.parameters, name);
}

export function named<V>(values: ReadonlyMap<string, V>, name: string): V {
  const value = values.get(name);
  if (value === undefined) throw new RangeError(`there is no "${name}" among the network's tensors`);
  return value;
}

/** The pullback of an evaluation pass. */
export function noPullback(): never {
  throw new TypeError("an evaluation pass has no gradient");
}

/** Records a parameter's gradient. */
export function recordGradient(pass: Pass, name: string, gradient: Tensor): void {
  if (pass.kind !== "training") throw new TypeError("gradients exist in a training pass only");
  pass.gradients.set(name, gradient);
}

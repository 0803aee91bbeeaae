import type { CombinationKind } from "../nn/combination.js";
import type { ConvolutionSpec } from "../nn/convolution.js";
import type { MergePlan } from "../nn/delay.js";
import { type Timeline, valueAt } from "../nn/timeline.js";

/**
 * A network on images of one size, as a list of instructions on values: what evaluation runs, whole or one timestep
 * after the other. Each instruction works on the distinct steps of its values, and each step is due at the first
 * timestep whose answer needs it. A plan in integers: nothing is computed here. Cascades (cascade-program.ts) and
 * feed-forward networks with exits (multi-exit-program.ts) become programs alike.
 */
export interface Program {
  readonly values: readonly Value[];
  /** In an order in which each finds what it reads. */
  readonly instructions: readonly Instruction[];
  /** [T] */
  readonly answers: readonly Answer[];
  /** logits[t] = own[t] + share logits[t-1]; 0 where each answer stands by itself. */
  readonly share: number;
}

/** [distinct steps, side, side, channels] */
export interface Value {
  readonly side: number;
  readonly channels: number;
  /** A step has two rows where it depends on the image, and one where it is the same for all. */
  readonly timeline: Timeline;
  /** [D] the first timestep whose answer needs the step; Infinity where none does. */
  readonly due: readonly number[];
}

export type Instruction = StepwiseInstruction | MeetInstruction;

/** y[d] = operation(x[source[d]]) */
export interface StepwiseInstruction {
  readonly kind: "convolve" | "normalize" | "maxPool" | "averagePool" | "mixedPool" | "globalAveragePool";
  readonly x: number;
  readonly y: number;
  readonly source: readonly number[];
  readonly convolution?: ConvolutionSpec;
  readonly norm?: NormRows;
  /** Of a mixed pool: the name of α, and the side of its windows. */
  readonly mixing?: { readonly alpha: string; readonly window: number };
}

/** A folded batch norm: the row of its tables for each step, and whether a ReLU follows. */
export interface NormRows {
  readonly name: string;
  readonly rows: readonly number[];
  readonly relu: boolean;
}

/** y = combine(shortcut, delay(residual)) by the plan; "add" has no ReLU. What is left out counts as zero. */
export interface MeetInstruction {
  readonly kind: "meet";
  readonly combine: CombinationKind | "add";
  readonly residual: number | undefined;
  readonly shortcut: number | undefined;
  readonly y: number;
  readonly plan: MergePlan;
}

/** What is classified at a timestep: all numbers of a step of a value, by the linear layer of this name. */
export interface Answer {
  readonly x: number;
  readonly step: number;
  readonly classifier: string;
  /** Whether the layer also reads the logits of the answer before, after the value's numbers. */
  readonly readsBefore: boolean;
}

/** The value of the images. */
export const IMAGES = 0;

/** The steps of a value, in order, that answers up to timestep t need and those up to `done` did not. */
export function dueSteps({ due }: Value, done: number, t: number): number[] {
  return [...due.keys()].filter((d) => valueAt(due, d) > done && valueAt(due, d) <= t);
}

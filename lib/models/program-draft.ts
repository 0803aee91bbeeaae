import { averagePoolSide } from "../nn/average-pool.js";
import { type Chain, chainCost, type Stage } from "../nn/chain.js";
import { type ConvolutionSpec, outputSide } from "../nn/convolution.js";
import {
  ABSENT,
  firstTimesteps,
  isIdentity,
  refine,
  type StepSelection,
  type Timeline,
  valueAt,
} from "../nn/timeline.js";
import type {
  Answer,
  Instruction,
  MeetInstruction,
  NormRows,
  Program,
  StepwiseInstruction,
  Value,
} from "./program.js";

/** A program under way: what was added so far. */
export interface Draft {
  readonly values: Omit<Value, "due">[];
  readonly instructions: Instruction[];
  readonly equalRows: EqualRowsOf;
}

/** [T] equal numbers where a norm's rows are equal, so that equal steps stay equal through it. */
export type EqualRowsOf = (norm: string) => readonly number[];

/** The steps of a value that somebody reads. */
export interface View extends StepSelection {
  readonly value: number;
}

/** Begins with images of so many pixels a side, which change as `images` says. */
export function beginDraft(
  side: number,
  images: Timeline,
  equalRows: EqualRowsOf,
): { draft: Draft; seen: View } {
  const draft: Draft = { values: [], instructions: [], equalRows };
  return { draft, seen: wholeOf(draft, addValue(draft, { side, channels: 3, timeline: images })) };
}

/** The program, with what each answer needs worked out. */
export function finish(draft: Draft, answers: readonly Answer[], share = 0): Program {
  const due = dueTimesteps(draft, answers);
  const values = draft.values.map((value, v) => ({ ...value, due: valueAt(due, v) }));
  return { values, instructions: draft.instructions, answers, share };
}

function addValue(draft: Draft, value: Draft["values"][number]): number {
  return draft.values.push(value) - 1;
}

function wholeOf({ values }: Draft, value: number): View {
  const { timeline } = valueAt(values, value);
  return { value, timeline, source: timeline.rows.map((_, d) => d) };
}

/** Side and channels of a value. */
export function shapeOf({ values }: Draft, { value }: View): Pick<Value, "side" | "channels"> {
  return valueAt(values, value);
}

/** A meeting whose result has so many channels. */
export function addMeeting(
  draft: Draft,
  meeting: Omit<MeetInstruction, "kind" | "y">,
  channels: number,
): View {
  const { side } = valueAt(draft.values, meeting.residual ?? meeting.shortcut ?? ABSENT);
  const y = addValue(draft, { side, channels, timeline: meeting.plan.timeline });
  draft.instructions.push({ kind: "meet", ...meeting, y });
  return wholeOf(draft, y);
}

/** All stages of a chain, one after the other. */
export function addChain(draft: Draft, chain: Chain, x: View): View {
  return chain.reduce((view, stage) => addStage(draft, stage, view), x);
}

function addStage(draft: Draft, stage: Stage, x: View): View {
  const { side, channels } = shapeOf(draft, x);
  switch (stage.kind) {
    case "convolution":
      return addConvolution(draft, stage.convolution, x);
    case "convolutionNorm":
      return addConvolutionAndNorm(draft, stage.convolution, { name: stage.norm, relu: stage.relu }, x);
    case "normConvolution":
      return addConvolution(draft, stage.convolution, addNorm(draft, { name: stage.norm, relu: true }, x));
    case "norm":
      return addNorm(draft, { name: stage.norm, relu: true }, x);
    case "averagePool":
      return addStepwise(draft, { kind: "averagePool" }, x, { side: averagePoolSide(side), channels });
    case "mixedPool":
      return addStepwise(draft, { kind: "mixedPool", mixing: stage }, x, {
        side: chainCost([stage], side).side,
        channels,
      });
    case "globalAveragePool":
      return addStepwise(draft, { kind: "globalAveragePool" }, x, { side: 1, channels });
  }
}

type Norm = Omit<NormRows, "rows">;

/** The norm is no more than a gain and a bias, which the convolution's results take on their way out. */
export function addConvolutionAndNorm(draft: Draft, convolution: ConvolutionSpec, norm: Norm, x: View): View {
  const split = refine(x.timeline, draft.equalRows(norm.name));
  if (!isIdentity(split, x.timeline)) return addNorm(draft, norm, addConvolution(draft, convolution, x));
  return addConvolution(draft, convolution, x, { ...norm, rows: firstTimesteps(x.timeline) });
}

function addConvolution(draft: Draft, convolution: ConvolutionSpec, x: View, norm?: NormRows): View {
  const shape = { side: outputSide(convolution, shapeOf(draft, x).side), channels: convolution.outputs };
  return addStepwise(draft, { kind: "convolve", convolution, ...(norm && { norm }) }, x, shape);
}

/** Timesteps whose rows differ are steps of their own from here on. */
function addNorm(draft: Draft, norm: Norm, x: View): View {
  const split = refine(x.timeline, draft.equalRows(norm.name));
  const rows = firstTimesteps(split.timeline);
  const source = split.source.map((d) => valueAt(x.source, d));
  const view = { value: x.value, timeline: split.timeline, source };
  return addStepwise(draft, { kind: "normalize", norm: { ...norm, rows } }, view, shapeOf(draft, x));
}

/** An operation whose results have this shape. */
export function addStepwise(
  draft: Draft,
  instruction: Omit<StepwiseInstruction, "x" | "y" | "source">,
  { value, timeline, source }: View,
  { side, channels }: Pick<Value, "side" | "channels">,
): View {
  const y = addValue(draft, { side, channels, timeline });
  draft.instructions.push({ ...instruction, x: value, y, source });
  return wholeOf(draft, y);
}

/** [values][D] the first timestep whose answer needs each step: from the answers back to the images. */
function dueTimesteps({ values, instructions }: Draft, answers: readonly Answer[]): number[][] {
  const due = values.map(({ timeline }) => timeline.rows.map(() => Infinity));
  const need = (value: number | undefined, d: number, t: number): void => {
    const known = value === undefined || d === ABSENT ? undefined : due[value];
    if (known !== undefined) known[d] = Math.min(valueAt(known, d), t);
  };
  for (const [t, { x, step }] of answers.entries()) need(x, step, t);
  for (const instruction of instructions.toReversed()) {
    const at = valueAt(due, instruction.y);
    if (instruction.kind !== "meet") {
      for (const [d, t] of at.entries()) need(instruction.x, valueAt(instruction.source, d), t);
      continue;
    }
    const { residual, shortcut, plan } = instruction;
    // A smoothed step needs all before it.
    if (plan.carry > 0)
      for (let d = at.length - 2; d >= 0; d--) at[d] = Math.min(valueAt(at, d), valueAt(at, d + 1));
    for (const [d, t] of at.entries()) {
      need(residual, valueAt(plan.residual, d), t);
      need(shortcut, valueAt(plan.shortcut, d), t);
    }
  }
  return due;
}

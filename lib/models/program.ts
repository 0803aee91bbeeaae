import type { CascadedNetwork } from "./cascaded-network.js";
import { branchChannels, type CascadeLayer, type DelayedLayer } from "../nn/cascade-layer.js";
import { averagePoolSide } from "../nn/average-pool.js";
import { type Chain, chainCost, type Stage } from "../nn/chain.js";
import type { CombinationKind } from "../nn/combination.js";
import { type ConvolutionSpec, outputSide } from "../nn/convolution.js";
import { type MergePlan, planMerge } from "../nn/delay.js";
import { headName } from "../nn/head.js";
import { planLayer, type Scheme } from "../nn/scheme.js";
import { POOL } from "../nn/stem.js";
import {
  ABSENT,
  firstTimesteps,
  isIdentity,
  refine,
  type StepSelection,
  type Timeline,
  valueAt,
} from "../nn/timeline.js";

/**
 * A network on images of one size, as a list of instructions on values: what evaluation runs, whole or one timestep
 * after the other. Each instruction works on the distinct steps of its values, and each step is due at the first
 * timestep whose answer needs it. A plan in integers: nothing is computed here.
 */
export interface Program {
  readonly timesteps: number;
  readonly values: readonly Value[];
  /** In an order in which each finds what it reads. */
  readonly instructions: readonly Instruction[];
  readonly answers: Answers;
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
  readonly kind: "convolve" | "normalize" | "maxPool" | "averagePool" | "stage";
  readonly x: number;
  readonly y: number;
  readonly source: readonly number[];
  readonly convolution?: ConvolutionSpec;
  readonly norm?: NormRows;
  /** A stage that is carried out as the chain has it. */
  readonly stage?: Stage;
}

/** A folded batch norm: the row of its tables for each step, and whether a ReLU follows. */
export interface NormRows {
  readonly name: string;
  readonly rows: readonly number[];
  readonly relu: boolean;
}

/** y = combine(shortcut, delay(residual)) by the plan; "delay" is the delay alone. */
export interface MeetInstruction {
  readonly kind: "meet";
  readonly combine: CombinationKind | "delay";
  readonly residual: number | undefined;
  readonly shortcut: number | undefined;
  readonly y: number;
  readonly plan: MergePlan;
}

/** Which step of value x is classified at each timestep, and by which head. */
export interface Answers {
  readonly x: number;
  readonly step: readonly number[];
  readonly heads: readonly string[];
}

/** The value of the images. */
export const IMAGES = 0;

/** A program under way: what was added so far. */
interface Draft {
  readonly values: { readonly side: number; readonly channels: number; readonly timeline: Timeline }[];
  readonly instructions: Instruction[];
  readonly equalRows: EqualRowsOf;
}

/** [T] equal numbers where a norm's rows are equal, so that equal steps stay equal through it. */
export type EqualRowsOf = (norm: string) => readonly number[];

/** The steps of a value that somebody reads. */
interface View extends StepSelection {
  readonly value: number;
}

/** The program of a network whose images have so many pixels a side and change as `images` says. */
export function programOf(
  network: CascadedNetwork,
  side: number,
  images: Timeline,
  equalRows: EqualRowsOf,
): Program {
  const { timesteps, spec } = network;
  const draft: Draft = { values: [], instructions: [], equalRows };
  const seen = wholeOf(draft, addValue(draft, { side, channels: 3, timeline: images }));
  const first = network.layers.reduce(
    (x, layer) => addLayer(draft, layer, spec.scheme, x),
    addStem(draft, network, seen),
  );
  const answers = {
    x: first.value,
    step: first.timeline.step,
    heads: Array.from({ length: timesteps }, (_, t) => headName(spec.heads, t)),
  };
  const due = dueTimesteps(draft, answers);
  const values = draft.values.map((value, v) => ({ ...value, due: valueAt(due, v) }));
  return { timesteps, values, instructions: draft.instructions, answers };
}

function addValue(draft: Draft, value: Draft["values"][number]): number {
  return draft.values.push(value) - 1;
}

function wholeOf({ values }: Draft, value: number): View {
  const { timeline } = valueAt(values, value);
  return { value, timeline, source: timeline.rows.map((_, d) => d) };
}

function addStem(draft: Draft, { stem, stemDelay }: CascadedNetwork, images: View): View {
  const normalized = addConvolutionAndNorm(draft, stem, { name: "stem.norm", relu: true }, images);
  const { side, channels } = valueAt(draft.values, normalized.value);
  const pooled = addStepwise(draft, { kind: "maxPool" }, normalized, {
    side: outputSide(POOL, side),
    channels,
  });
  const plan = planMerge(stemDelay, pooled.timeline);
  return addMeeting(draft, { combine: "delay", residual: pooled.value, shortcut: undefined, plan }, channels);
}

function addLayer(draft: Draft, layer: CascadeLayer, scheme: Scheme, x: View): View {
  return layer.kind === "instant" ? addChain(draft, layer.chain, x) : addDelayed(draft, layer, scheme, x);
}

function addDelayed(draft: Draft, layer: DelayedLayer, scheme: Scheme, x: View): View {
  const { branchInput, plan } = planLayer(scheme, layer.position, x.timeline);
  const counts = branchInput.timeline.rows.length > 0;
  const branch = counts ? addChain(draft, layer.branch, { ...branchInput, value: x.value }) : undefined;
  const shortcut = addChain(draft, layer.shortcut, x);
  const { channels } = valueAt(draft.values, shortcut.value);
  const meeting = {
    combine: layer.combine,
    residual: branch?.value,
    shortcut: shortcut.value,
    plan: branch ? plan(branch.timeline, shortcut.timeline) : shortcutAlone(shortcut.timeline),
  };
  return addMeeting(
    draft,
    meeting,
    layer.combine === "concatenate" ? channels + branchChannels(layer) : channels,
  );
}

/** Of a layer whose turn comes after the last timestep. */
function shortcutAlone(timeline: Timeline): MergePlan {
  const shortcut = timeline.rows.map((_, d) => d);
  return { timeline, carry: 0, gain: 1, firstCounted: 0, residual: shortcut.map(() => ABSENT), shortcut };
}

function addMeeting(draft: Draft, meeting: Omit<MeetInstruction, "kind" | "y">, channels: number): View {
  const { side } = valueAt(draft.values, meeting.residual ?? meeting.shortcut ?? ABSENT);
  const y = addValue(draft, { side, channels, timeline: meeting.plan.timeline });
  draft.instructions.push({ kind: "meet", ...meeting, y });
  return wholeOf(draft, y);
}

function addChain(draft: Draft, chain: Chain, x: View): View {
  return chain.reduce((view, stage) => addStage(draft, stage, view), x);
}

function addStage(draft: Draft, stage: Stage, x: View): View {
  const { side, channels } = valueAt(draft.values, x.value);
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
    case "globalAveragePool":
      return addStepwise(draft, { kind: "stage", stage }, x, {
        side: chainCost([stage], side).side,
        channels,
      });
  }
}

type Norm = Omit<NormRows, "rows">;

/** The norm is no more than a gain and a bias, which the convolution's results take on their way out. */
function addConvolutionAndNorm(draft: Draft, convolution: ConvolutionSpec, norm: Norm, x: View): View {
  const split = refine(x.timeline, draft.equalRows(norm.name));
  if (!isIdentity(split, x.timeline)) return addNorm(draft, norm, addConvolution(draft, convolution, x));
  return addConvolution(draft, convolution, x, { ...norm, rows: firstTimesteps(x.timeline) });
}

function addConvolution(draft: Draft, convolution: ConvolutionSpec, x: View, norm?: NormRows): View {
  const { side } = valueAt(draft.values, x.value);
  const shape = { side: outputSide(convolution, side), channels: convolution.outputs };
  return addStepwise(draft, { kind: "convolve", convolution, ...(norm && { norm }) }, x, shape);
}

/** Timesteps whose rows differ are steps of their own from here on. */
function addNorm(draft: Draft, norm: Norm, x: View): View {
  const split = refine(x.timeline, draft.equalRows(norm.name));
  const rows = firstTimesteps(split.timeline);
  const source = split.source.map((d) => valueAt(x.source, d));
  const view = { value: x.value, timeline: split.timeline, source };
  return addStepwise(
    draft,
    { kind: "normalize", norm: { ...norm, rows } },
    view,
    valueAt(draft.values, x.value),
  );
}

function addStepwise(
  draft: Draft,
  instruction: Pick<StepwiseInstruction, "kind" | "convolution" | "norm" | "stage">,
  { value, timeline, source }: View,
  { side, channels }: Pick<Value, "side" | "channels">,
): View {
  const y = addValue(draft, { side, channels, timeline });
  draft.instructions.push({ ...instruction, x: value, y, source });
  return wholeOf(draft, y);
}

/** [values][D] the first timestep whose answer needs each step: from the answers back to the images. */
function dueTimesteps({ values, instructions }: Draft, answers: Answers): number[][] {
  const due = values.map(({ timeline }) => timeline.rows.map(() => Infinity));
  const need = (value: number | undefined, d: number, t: number): void => {
    const known = value === undefined || d === ABSENT ? undefined : due[value];
    if (known !== undefined) known[d] = Math.min(valueAt(known, d), t);
  };
  for (const [t, d] of answers.step.entries()) need(answers.x, d, t);
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

/** The steps of a value, in order, that answers up to timestep t need and those up to `done` did not. */
export function dueSteps({ due }: Value, done: number, t: number): number[] {
  return [...due.keys()].filter((d) => valueAt(due, d) > done && valueAt(due, d) <= t);
}

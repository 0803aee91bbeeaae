import {
  type Instruction,
  type MeetInstruction,
  type Program,
  type StepwiseInstruction,
  type Value,
} from "./program.js";
import type { OpenedProgram, ProgramRun } from "../nn/opened-program.js";
import { attribute, runNative } from "../nn/backend/native-operation.js";
import { type EvaluationPass, named, parameter } from "../nn/pass.js";
import { scoped, type Tensor, type Tensor4D, tf } from "../nn/tensorflow.js";
import { ABSENT, valueAt } from "../nn/timeline.js";

/**
 * A program opened by the project's own kernels (lib/nn/native/operations/program.h): its filters are laid out once, as
 * 16-bit integers in mixed precision, in which convolutions are then taken, while all else is float32. What does not depend
 * on the images is computed once, and each timestep is one call. To be disposed of.
 */
export class NativeProgram implements OpenedProgram {
  readonly #plan: Tensor;

  /** For runs on so many images at a time, or on one. */
  constructor(program: Program, pass: EvaluationPass, batch: number) {
    const constants = new Constants(pass);
    this.#plan = tf.tidy(() => {
      const text = tf.tensor1d(textOf(program, constants), "int32");
      const attributes = [
        attribute.integer("N", constants.tensors.length),
        attribute.boolean("integers", pass.precision === "mixed"),
        attribute.boolean("several", batch > 1),
      ];
      // It outlives the scope in which it is first needed.
      return tf.keep(valueAt(runNative("CascadeOpenProgram", attributes, [text, ...constants.tensors]), 0));
    });
  }

  start(images: Tensor4D, batch: number): ProgramRun {
    const attributes = [attribute.integer("batch", batch)];
    return new NativeRun(
      tf.keep(valueAt(runNative("CascadeStartProgram", attributes, [this.#plan, images]), 0)),
    );
  }

  dispose(): void {
    this.#plan.dispose();
  }
}

class NativeRun implements ProgramRun {
  constructor(readonly run: Tensor) {}

  advance(t: number): Float32Array {
    return scoped(() => {
      const attributes = [attribute.integer("timestep", t)];
      return valueAt(runNative("CascadeAdvanceProgram", attributes, [this.run]), 0).dataSync<"float32">();
    });
  }

  dispose(): void {
    this.run.dispose();
  }
}

/** What a program's instructions name by number. */
class Constants {
  readonly tensors: Tensor[] = [];
  readonly #numbers = new Map<string, number>();

  constructor(readonly pass: EvaluationPass) {}

  filter(name: string): number {
    return this.#numberOf(name, () => [parameter(this.pass, `${name}.weight`)]);
  }

  /** Gains; the biases are the next. */
  norm(name: string): number {
    const { gain, bias } = named(this.pass.norms, name);
    return this.#numberOf(name, () => [gain, bias]);
  }

  /** Weights of a linear layer; the biases are the next. */
  classifier(name: string): number {
    return this.#numberOf(name, () => [
      parameter(this.pass, `${name}.weight`),
      parameter(this.pass, `${name}.bias`),
    ]);
  }

  /** The weight of a mixed pool. */
  mixing(name: string): number {
    return this.#numberOf(name, () => [parameter(this.pass, name)]);
  }

  #numberOf(name: string, tensors: () => Tensor[]): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const number = this.tensors.length;
    this.tensors.push(...tensors());
    this.#numbers.set(name, number);
    return number;
  }
}

/** The program as lib/nn/native/operations/program-text.h reads it. */
function textOf({ values, instructions, answers, share }: Program, constants: Constants): Int32Array {
  const classifiers = answers.map(({ classifier }) => constants.classifier(classifier));
  const classes = valueAt(valueAt(constants.tensors, valueAt(classifiers, 0)).shape, 1);
  return Int32Array.from([
    ...[values.length, instructions.length, answers.length],
    ...values.flatMap(valueText),
    ...instructions.flatMap((instruction) => instructionText(instruction, values, constants)),
    ...[classes, ...bitsOf(share)],
    ...answers.flatMap(({ x, step, readsBefore }, t) => [
      x,
      step,
      valueAt(classifiers, t),
      Number(readsBefore),
    ]),
  ]);
}

/** Of float32 numbers. */
function bitsOf(...values: readonly number[]): Int32Array {
  return new Int32Array(Float32Array.from(values).buffer);
}

function valueText({ side, channels, timeline: { rows } }: Value): number[] {
  return [side, channels, rows.length, ...rows.map((count) => Number(count > 1))];
}

/** As `Kind` of lib/nn/native/operations/program-text.h counts them. */
const KINDS: Readonly<Record<Instruction["kind"], number>> = {
  convolve: 0,
  normalize: 1,
  maxPool: 2,
  averagePool: 3,
  mixedPool: 4,
  globalAveragePool: 5,
  meet: 6,
};

/** Of a step that nobody needs. */
const NEVER = 2 ** 31 - 1;

function instructionText(instruction: Instruction, values: readonly Value[], constants: Constants): number[] {
  const due = valueAt(values, instruction.y).due.map((t) => Math.min(t, NEVER));
  const kind = KINDS[instruction.kind];
  return instruction.kind === "meet"
    ? [kind, instruction.residual ?? ABSENT, instruction.y, ...due, ...meetText(instruction)]
    : [kind, instruction.x, instruction.y, ...due, ...stepwiseText(instruction, constants)];
}

function meetText({ combine, shortcut, plan }: MeetInstruction): number[] {
  return [
    ...plan.residual,
    Number(combine === "addRelu"),
    ...[shortcut ?? ABSENT, plan.firstCounted, Number(combine === "concatenate")],
    ...bitsOf(plan.carry, plan.gain),
    ...plan.shortcut,
  ];
}

function stepwiseText(
  { source, convolution, norm, mixing }: StepwiseInstruction,
  constants: Constants,
): number[] {
  return [
    ...source,
    Number(norm?.relu ?? false),
    convolution === undefined ? ABSENT : constants.filter(convolution.name),
    ...[convolution?.size ?? mixing?.window ?? 0, convolution?.stride ?? 1],
    mixing === undefined ? ABSENT : constants.mixing(mixing.alpha),
    norm === undefined ? ABSENT : constants.norm(norm.name),
    ...(norm?.rows ?? source.map(() => 0)),
  ];
}

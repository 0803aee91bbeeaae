import {
  type Answer,
  dueSteps,
  IMAGES,
  type Instruction,
  type MeetInstruction,
  type NormRows,
  type Program,
  type StepwiseInstruction,
} from "./program.js";
import type { ProgramRun } from "../nn/opened-program.js";
import { averagePool } from "../nn/average-pool.js";
import { kernels } from "../nn/backend/chosen-kernels.js";
import type { GainAndBias } from "../nn/backend/kernels.js";
import { joinRows, gatherSteps } from "../nn/backend/rows.js";
import { COMBINATIONS } from "../nn/combination.js";
import { type MergePlan, planOfSteps } from "../nn/delay.js";
import { classesOf } from "../nn/classifier.js";
import { boosted, classifyMaps } from "../nn/exit.js";
import { globalAveragePool } from "../nn/global-average-pool.js";
import { asMaps } from "../nn/linear.js";
import { mixedPool } from "../nn/mixed-pool.js";
import { type EvaluationPass, named, parameter, type Sequence } from "../nn/pass.js";
import { scoped, type Tensor4D, tf } from "../nn/tensorflow.js";
import { valueAt } from "../nn/timeline.js";

/** Some steps of a value, laid one after another. */
interface Piece {
  readonly steps: readonly number[];
  readonly values: Tensor4D;
}

/**
 * Runs a program by the operations of lib/nn/backend/kernels.ts, on whatever they run and in any precision. The images
 * [N, H, W, 3], the rows of all their distinct steps, stay their maker's.
 */
export class TensorRun implements ProgramRun {
  readonly #pieces: Piece[][];
  /** By value, the place of the last instruction that reads it. */
  readonly #lastRead: ReadonlyMap<number, number>;
  readonly #answered: ReadonlySet<number>;
  #done = -1;
  /** [B, K] the answer given last. */
  #before: Float32Array | undefined;

  constructor(
    readonly program: Program,
    readonly pass: EvaluationPass,
    images: Tensor4D,
    readonly batch: number,
  ) {
    const steps = valueAt(program.values, IMAGES).timeline.rows.map((_, d) => d);
    this.#pieces = program.values.map((_, v) => (v === IMAGES ? [{ steps, values: images }] : []));
    this.#lastRead = new Map(
      program.instructions.flatMap((instruction, i) => readsOf(instruction).map((v) => [v, i] as const)),
    );
    this.#answered = new Set(program.answers.map(({ x }) => x));
  }

  advance(t: number): Float32Array {
    const { instructions, values, answers } = this.program;
    for (const [i, instruction] of instructions.entries()) {
      const steps = dueSteps(valueAt(values, instruction.y), this.#done, t);
      if (steps.length > 0) {
        const made = tf.tidy(() => this.#run(instruction, steps));
        this.#pieces[instruction.y]?.push({ steps, values: made });
      }
      if (t === answers.length - 1) this.#forgetAfter(i);
    }
    const asked = answers.slice(this.#done + 1, t + 1);
    this.#done = t;
    return this.#answer(asked);
  }

  dispose(): void {
    for (const v of this.#pieces.keys()) this.#forget(v);
  }

  #run(instruction: Instruction, steps: readonly number[]): Tensor4D {
    if (instruction.kind === "meet") return this.#meet(instruction, steps);
    return this.#stepwise(instruction, steps);
  }

  #stepwise(
    { kind, x, source, convolution, norm, mixing }: StepwiseInstruction,
    steps: readonly number[],
  ): Tensor4D {
    const from = this.#sequence(
      x,
      steps.map((d) => valueAt(source, d)),
    );
    const folded = norm && this.#folded(norm, steps, from.timeline.rows);
    if (convolution !== undefined) {
      const filter = parameter(this.pass, `${convolution.name}.weight`) as Tensor4D;
      return kernels.convolve(from.values, filter, convolution.stride, this.pass.precision, folded);
    }
    if (folded !== undefined) return kernels.scaleAndShift(from.values, folded);
    if (mixing !== undefined) return mixedPool(this.pass, mixing.alpha, mixing.window, from).y.values;
    if (kind === "globalAveragePool") return asMaps(globalAveragePool(from.values));
    return kind === "maxPool" ? kernels.maxPool(from.values) : averagePool(from.values);
  }

  #folded(norm: NormRows, steps: readonly number[], counts: readonly number[]): GainAndBias {
    const { gain, bias } = named(this.pass.norms, norm.name);
    const rows = steps.map((d) => valueAt(norm.rows, d));
    return { gain: tf.gather(gain, rows), bias: tf.gather(bias, rows), rows: counts, relu: norm.relu };
  }

  #meet(instruction: MeetInstruction, steps: readonly number[]): Tensor4D {
    const { plan, residual, shortcut, y } = instruction;
    // Smoothing starts anew from the first step, for the plan alone tells how it goes on.
    const until = plan.carry > 0 ? [...Array(valueAt(steps, steps.length - 1) + 1).keys()] : steps;
    const part = planOfSteps(plan, until, this.#rowsOf(y, until));
    const joined = this.#join(instruction, part.plan, {
      branch:
        residual === undefined || part.residual.length === 0
          ? undefined
          : this.#sequence(residual, part.residual),
      shortcut: shortcut === undefined ? undefined : this.#sequence(shortcut, part.shortcut),
    });
    const wanted = steps.map((d) => until.indexOf(d));
    if (wanted.length === until.length) return joined;
    const timeline = { step: wanted, rows: this.#rowsOf(y, steps) };
    return gatherSteps(joined, part.plan.timeline, { timeline, source: wanted });
  }

  #join(
    { combine, y }: MeetInstruction,
    plan: MergePlan,
    { branch, shortcut }: { branch: Sequence | undefined; shortcut: Sequence | undefined },
  ): Tensor4D {
    const { side, channels } = valueAt(this.program.values, y);
    if (combine !== "add" && shortcut !== undefined) {
      const combination = COMBINATIONS[combine];
      if (branch !== undefined) return combination.join(shortcut, branch, plan).y.values;
      return combination.alone(shortcut, channels - valueAt(shortcut.values.shape, 3)).y.values;
    }
    if (branch === undefined)
      return tf.zeros([plan.timeline.rows.reduce((a, b) => a + b, 0), side, side, channels]);
    return kernels.merge(branch.values, shortcut?.values, {
      residual: branch.timeline,
      shortcut: shortcut?.timeline,
      plan,
      relu: combine === "addRelu",
    });
  }

  #rowsOf(value: number, steps: readonly number[]): number[] {
    const { rows } = valueAt(this.program.values, value).timeline;
    return steps.map((d) => (valueAt(rows, d) === 1 ? 1 : this.batch));
  }

  /** The named steps of a value, one after another. */
  #sequence(value: number, steps: readonly number[]): Sequence {
    const rows = this.#rowsOf(value, steps);
    const timeline = { step: steps.map((_, i) => i), rows };
    const pieces = valueAt(this.#pieces, value);
    const whole = pieces.find((piece) => piece.steps.join() === steps.join());
    if (whole !== undefined) return { values: whole.values, timeline };
    const parts = steps.map((d) => {
      const piece = pieces.find((candidate) => candidate.steps.includes(d));
      if (piece === undefined)
        throw new RangeError(`step ${d} of value ${value} is read before it is computed`);
      const before = { step: [], rows: this.#rowsOf(value, piece.steps) };
      const one = { step: [0], rows: this.#rowsOf(value, [d]) };
      return gatherSteps(piece.values, before, { timeline: one, source: [piece.steps.indexOf(d)] });
    });
    return { values: joinRows(parts), timeline };
  }

  /** Logits [answers, B, K]; equal steps that the same classifier reads are classified once. */
  #answer(answers: readonly Answer[]): Float32Array {
    const known = new Map<string, Float32Array>();
    const logits = answers.map((answer) => {
      const key = `${answer.classifier}/${answer.x}/${answer.step}`;
      const own = known.get(key) ?? this.#classify(answer);
      known.set(key, own);
      this.#before = boosted(own, this.program.share, this.#before);
      return this.#before;
    });
    const size = valueAt(logits, 0).length;
    const all = new Float32Array(answers.length * size);
    for (const [i, answer] of logits.entries()) all.set(answer, i * size);
    return all;
  }

  /** [B, K]; a row that stands for the batch is repeated. */
  #classify({ x, step, classifier, readsBefore }: Answer): Float32Array {
    const maps = this.#sequence(x, [step]).values;
    const rows = scoped(() =>
      classifyMaps(this.pass, classifier, maps, readsBefore ? this.#before : undefined),
    );
    const logits = new Float32Array(this.batch * classesOf(this.pass, classifier));
    for (let at = 0; at < logits.length; at += rows.length) logits.set(rows, at);
    return logits;
  }

  /** Frees what no later instruction reads, once all that remains is under way. */
  #forgetAfter(i: number): void {
    for (const v of readsOf(valueAt(this.program.instructions, i)))
      if (!this.#answered.has(v) && this.#lastRead.get(v) === i) this.#forget(v);
  }

  #forget(value: number): void {
    if (value === IMAGES) return;
    tf.dispose(valueAt(this.#pieces, value).map(({ values }) => values));
    this.#pieces[value] = [];
  }
}

function readsOf(instruction: Instruction): number[] {
  const read = instruction.kind === "meet" ? [instruction.residual, instruction.shortcut] : [instruction.x];
  return read.filter((value) => value !== undefined);
}

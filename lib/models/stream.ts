import { type CascadedResNet, mapSides } from "./cascaded-resnet.js";
import type { EvaluationPass } from "./state.js";
import { softmax } from "../trace/probabilities.js";
import { type Delay, recurrence } from "../nn/delay.js";
import { headName } from "../nn/head.js";
import { globalAveragePool, linear, maxPool } from "../nn/ops.js";
import { convolution } from "../nn/convolution.js";
import { named, parameter, type Sequence } from "../nn/pass.js";
import { type BlockSpec, countsFrom, residualBranch, residualDelay } from "../nn/residual-block.js";
import { temporalBatchNorm } from "../nn/temporal-batch-norm.js";
import { scoped, type Tensor2D, type Tensor4D, tf } from "../nn/tensorflow.js";
import { momentTimeline, valueAt } from "../nn/timeline.js";

/** The network's answer at one timestep. */
export interface StreamedStep {
  readonly timestep: number;
  /** [K] */
  readonly probabilities: Float64Array;
  readonly logits: Float32Array;
  /** Largest probability. */
  readonly confidence: number;
}

/** A value at the present timestep; equal versions are equal values. */
interface Moment {
  readonly values: Tensor4D;
  readonly version: string;
}

/**
 * Runs the network on one image step by step: `for (const step of stream(...)) if (step.confidence > 0.9) break;`.
 * Nothing of a later timestep is computed before it is asked for, and a block whose input has not changed is not
 * evaluated again. The image is held fixed; image: [1, H, W, 3], normalised.
 */
export function* stream(
  network: CascadedResNet,
  pass: EvaluationPass,
  image: Tensor4D,
): Generator<StreamedStep> {
  const cells: Cell[] = [new Cell(), ...network.blocks.map(() => new Cell())];
  try {
    for (let t = 0; t < network.timesteps; t++) {
      const logits = scoped(() => stepOf(network, pass, image, cells, t));
      const probabilities = softmax(logits, logits.length);
      yield { timestep: t, probabilities, logits, confidence: Math.max(...probabilities) };
    }
  } finally {
    for (const cell of cells) cell.dispose();
  }
}

/**
 * What one delay keeps between timesteps: the newest undelayed value u, and what the delay makes of it. The undelayed
 * value of timestep t is computed when it is first needed, which under the one-step delay is at t + 1.
 */
class Cell {
  #u: Moment | undefined;
  #z: Moment | undefined;
  /** The input that u is to be computed from when it is needed. */
  #pending: { readonly version: string; readonly compute: () => Tensor4D } | undefined;
  #input: Tensor4D | undefined;

  /** z[t] of the delay, given how u[t] would be computed; undefined where it is zero. */
  step(
    delay: Delay,
    version: string,
    input: Tensor4D,
    compute: (input: Tensor4D) => Tensor4D,
  ): Moment | undefined {
    if (delay.kind === "oneStepDelay") {
      this.#settle();
      const before = this.#u;
      this.#await(version, input, compute);
      return before;
    }
    this.#await(version, input, compute);
    this.#settle();
    const { carry, gain } = recurrence(delay);
    if (carry === 0 || this.#u === undefined) return this.#u;
    const old = this.#z;
    const taken = tf.mul<Tensor4D>(this.#u.values, gain);
    const values = tf.keep(old === undefined ? taken : tf.add<Tensor4D>(tf.mul(old.values, carry), taken));
    this.#z = { values, version: `${old?.version ?? ""}>${this.#u.version}` };
    old?.values.dispose();
    return this.#z;
  }

  #await(version: string, input: Tensor4D, compute: (input: Tensor4D) => Tensor4D): void {
    if (this.#u?.version === version) return;
    const kept = tf.keep(tf.clone(input));
    this.#input?.dispose();
    this.#input = kept;
    this.#pending = { version, compute: () => compute(kept) };
  }

  #settle(): void {
    if (this.#pending === undefined) return;
    const values = tf.keep(this.#pending.compute());
    this.#u?.values.dispose();
    this.#u = { values, version: this.#pending.version };
    this.#pending = undefined;
  }

  dispose(): void {
    tf.dispose([this.#u?.values, this.#z?.values, this.#input].filter((tensor) => tensor !== undefined));
  }
}

function stepOf(
  network: CascadedResNet,
  pass: EvaluationPass,
  image: Tensor4D,
  cells: readonly Cell[],
  t: number,
): Float32Array {
  const { scheme, heads } = network.spec;
  const at = (values: Tensor4D): Sequence => ({
    values,
    timeline: momentTimeline(network.timesteps, t, values.shape[0]),
  });
  const stemClass = rowClass(pass, "stem.norm", t);
  const stemmed = valueAt(cells, 0).step(scheme.delay, stemClass, image, (input) => {
    const convolved = convolution(pass, network.stem, at(input)).y;
    return maxPool(temporalBatchNorm(pass, "stem.norm", convolved, true).y.values);
  });
  let x: Moment = stemmed ?? { values: nothingSeen(network, image), version: "zero" };
  for (const block of network.blocks) {
    const input = x;
    const shortcut =
      block.shortcut === undefined
        ? input.values
        : convolution(pass, block.shortcut, at(input.values)).y.values;
    const residual = residualAt(network, pass, block, valueAt(cells, block.position), input, t, at);
    const values =
      residual === undefined ? tf.relu(shortcut) : tf.relu(tf.add<Tensor4D>(residual.values, shortcut));
    x = { values, version: `${input.version}+${residual?.version ?? "zero"}` };
  }
  const name = headName(heads, t);
  const weight = parameter(pass, `${name}.weight`) as Tensor2D;
  return linear(globalAveragePool(x.values), weight, parameter(pass, `${name}.bias`)).dataSync<"float32">();
}

/** The delayed residual that counts at timestep t, or undefined where it counts as zero. */
function residualAt(
  network: CascadedResNet,
  pass: EvaluationPass,
  block: BlockSpec,
  cell: Cell,
  input: Moment,
  t: number,
  at: (values: Tensor4D) => Sequence,
): Moment | undefined {
  const { scheme } = network.spec;
  const delay = residualDelay(scheme);
  const counts = t >= countsFrom(scheme, block.position);
  if (!counts && delay.kind === "none") return undefined;
  const norms = block.convolutions.map((_, k) => rowClass(pass, `${block.name}.norm${k + 1}`, t)).join();
  const compute = (values: Tensor4D): Tensor4D => residualBranch(pass, block, at(values)).y.values;
  const moment = cell.step(delay, `(${input.version}|${norms})`, input.values, compute);
  return counts ? moment : undefined;
}

/** What the first block is given before the stem's output arrives. */
function nothingSeen(network: CascadedResNet, image: Tensor4D): Tensor4D {
  const side = valueAt(mapSides(network, image.shape[1]), 0);
  return tf.zeros([image.shape[0], side, side, network.stem.outputs]);
}

function rowClass(pass: EvaluationPass, name: string, t: number): string {
  return String(valueAt(named(pass.norms, name).rowClass, t));
}

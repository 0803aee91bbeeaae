import { type CascadedDenseNet, FINAL_NORM } from "./cascaded-densenet.js";
import type { CascadedNetwork } from "./cascaded-network.js";
import type { EvaluationPass } from "./state.js";
import { softmax } from "../trace/probabilities.js";
import { type Delay, firstNeeded, recurrence } from "../nn/delay.js";
import { newFeatures, transition } from "../nn/dense-layer.js";
import { headName } from "../nn/head.js";
import { linear } from "../nn/linear.js";
import { kernels } from "../nn/backend/chosen-kernels.js";
import { globalAveragePool } from "../nn/global-average-pool.js";
import { scoped, type Tensor2D, type Tensor4D, tf } from "../nn/tensorflow.js";
import { convolution } from "../nn/convolution.js";
import { convolutionAndNorm } from "../nn/convolution-and-norm.js";
import { named, parameter, type Sequence } from "../nn/pass.js";
import { type BlockSpec, countsFrom, residualBranch, residualDelay } from "../nn/residual-block.js";
import { stemOutputSide } from "../nn/stem.js";
import { temporalBatchNorm } from "../nn/temporal-batch-norm.js";
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
 * Nothing of a later timestep is computed before it is asked for, and a residual block or dense layer whose input has not
 * changed is not evaluated again. The image is held fixed; image: [1, H, W, 3], normalised.
 */
export function* stream(
  network: CascadedNetwork,
  pass: EvaluationPass,
  image: Tensor4D,
): Generator<StreamedStep> {
  const cells = new Map<number, Cell>();
  const nameOf = shortNames();
  try {
    for (let t = 0; t < network.timesteps; t++) {
      const logits = scoped(() => logitsAt({ network, pass, cells, nameOf, t }, image));
      const probabilities = softmax(logits, logits.length);
      yield { timestep: t, probabilities, logits, confidence: Math.max(...probabilities) };
    }
  } finally {
    for (const cell of cells.values()) cell.dispose();
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

/** One timestep of a stream, with what it keeps from those before. */
interface Step {
  readonly network: CascadedNetwork;
  readonly pass: EvaluationPass;
  /** The delays by position: 0 the stem's, then those of the delayed layers. */
  readonly cells: Map<number, Cell>;
  /** A short name for a version that was put together of others. */
  readonly nameOf: (version: string) => string;
  readonly t: number;
}

/** Names the texts it is given by their number: versions are made of versions, and would double with every layer. */
function shortNames(): (text: string) => string {
  const names = new Map<string, string>();
  return (text) => {
    const name = names.get(text) ?? String(names.size);
    names.set(text, name);
    return name;
  };
}

function logitsAt(step: Step, image: Tensor4D): Float32Array {
  const { network, pass, t } = step;
  const { heads } = network.spec;
  const seen = cellAt(step, 0).step(network.stemDelay, rowClass(step, "stem.norm"), image, (input) => {
    return kernels.maxPool(
      convolutionAndNorm(pass, network.stem, "stem.norm", now(step, input), true).y.values,
    );
  });
  const stemmed: Moment = seen ?? { values: nothingSeen(network, image), version: "zero" };
  const features =
    network.kind === "resnet"
      ? network.blocks.reduce((x, block) => blockAt(step, block, x), stemmed).values
      : denseFeaturesAt(step, network, stemmed);
  const name = headName(heads, t);
  const weight = parameter(pass, `${name}.weight`) as Tensor2D;
  return linear(globalAveragePool(features), weight, parameter(pass, `${name}.bias`)).dataSync<"float32">();
}

/** out[t] = relu(delay(residual(x))[t] + shortcut(x[t])) */
function blockAt(step: Step, block: BlockSpec, input: Moment): Moment {
  const { pass } = step;
  const shortcut =
    block.shortcut === undefined
      ? input.values
      : convolution(pass, block.shortcut, now(step, input.values)).y.values;
  const norms = block.convolutions.map((_, k) => `${block.name}.norm${k + 1}`);
  const compute = (x: Sequence): Tensor4D => residualBranch(pass, block, x).y.values;
  const residual = delayedAt(step, block.position, norms, input, compute);
  const values =
    residual === undefined ? tf.relu(shortcut) : tf.relu(tf.add<Tensor4D>(residual.values, shortcut));
  return { values, version: joined(step, input, residual) };
}

/** out[t] = concat(x[t], delay(newFeatures(x))[t]) in each dense layer, transitions at once, then the final norm. */
function denseFeaturesAt(step: Step, network: CascadedDenseNet, stemmed: Moment): Tensor4D {
  const { pass } = step;
  let x = stemmed;
  for (const layer of network.layers) {
    if (layer.kind === "transition") {
      const version = step.nameOf(`${x.version}|${rowClass(step, layer.halve.norm)}`);
      x = {
        values: transition(pass, layer, now(step, x.values)).y.values,
        version,
      };
      continue;
    }
    const norms = [layer.reduce.norm, layer.grow.norm];
    const compute = (input: Sequence): Tensor4D => newFeatures(pass, layer, input).y.values;
    const features = delayedAt(step, layer.position, norms, x, compute);
    const [rows, height, width] = x.values.shape;
    const zero = (): Tensor4D => tf.zeros([rows, height, width, layer.grow.convolution.outputs]);
    const values = tf.concat([x.values, features?.values ?? zero()], 3);
    x = { values, version: joined(step, x, features) };
  }
  return temporalBatchNorm(pass, FINAL_NORM, now(step, x.values), true).y.values;
}

/** What the delayed layer at `position` adds at this timestep, or undefined where it counts as zero. */
function delayedAt(
  step: Step,
  position: number,
  norms: readonly string[],
  input: Moment,
  compute: (x: Sequence) => Tensor4D,
): Moment | undefined {
  const { scheme } = step.network.spec;
  const delay = residualDelay(scheme);
  const from = countsFrom(scheme, position);
  if (step.t < firstNeeded(delay, from)) return undefined;
  const classes = norms.map((name) => rowClass(step, name)).join();
  const version = step.nameOf(`(${input.version}|${classes})`);
  const moment = cellAt(step, position).step(delay, version, input.values, (values) =>
    compute(now(step, values)),
  );
  return step.t >= from ? moment : undefined;
}

function cellAt({ cells }: Step, position: number): Cell {
  const cell = cells.get(position) ?? new Cell();
  cells.set(position, cell);
  return cell;
}

function joined(step: Step, input: Moment, delayed: Moment | undefined): string {
  return step.nameOf(`${input.version}+${delayed?.version ?? "zero"}`);
}

/** A value as the sequence that has it at this timestep alone. */
function now({ network, t }: Step, values: Tensor4D): Sequence {
  return { values, timeline: momentTimeline(network.timesteps, t, values.shape[0]) };
}

/** What the first layer is given before the stem's output arrives. */
function nothingSeen(network: CascadedNetwork, image: Tensor4D): Tensor4D {
  const side = stemOutputSide(network.stem, image.shape[1]);
  return tf.zeros([image.shape[0], side, side, network.stem.outputs]);
}

function rowClass({ pass, t }: Step, name: string): string {
  return String(valueAt(named(pass.norms, name).rowClass, t));
}

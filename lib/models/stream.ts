import type { CascadedNetwork } from "./cascaded-network.js";
import type { EvaluationPass } from "./state.js";
import { softmax } from "../util/softmax.js";
import { kernels } from "../nn/backend/chosen-kernels.js";
import { branchChannels, type CascadeLayer, type DelayedLayer } from "../nn/cascade-layer.js";
import { chainNorms, runChain } from "../nn/chain.js";
import { COMBINATIONS } from "../nn/combination.js";
import { convolutionAndNorm } from "../nn/convolution-and-norm.js";
import { type Delay, firstNeeded, recurrence } from "../nn/delay.js";
import { globalAveragePool } from "../nn/global-average-pool.js";
import { headName } from "../nn/head.js";
import { linear } from "../nn/linear.js";
import { named, parameter, type Sequence } from "../nn/pass.js";
import { branchDelay, countsFrom } from "../nn/scheme.js";
import { stemOutputSide } from "../nn/stem.js";
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
interface TimedValue {
  readonly values: Tensor4D;
  readonly version: string;
}

/**
 * Runs the network on one image step by step: `for (const step of stream(...)) if (step.confidence > 0.9) break;`.
 * Nothing of a later timestep is computed before it is asked for, and a branch whose input has not changed is
 * not evaluated again. The image is held fixed; image: [1, H, W, 3], normalised.
 */
export function* stream(
  network: CascadedNetwork,
  pass: EvaluationPass,
  image: Tensor4D,
): Generator<StreamedStep> {
  const lines = new Map<number, DelayLine>();
  const nameOf = shortNames();
  try {
    for (let t = 0; t < network.timesteps; t++) {
      const logits = scoped(() => logitsAt({ network, pass, lines, nameOf, t }, image));
      const probabilities = softmax(logits, logits.length);
      yield { timestep: t, probabilities, logits, confidence: Math.max(...probabilities) };
    }
  } finally {
    for (const line of lines.values()) line.dispose();
  }
}

/**
 * What one delay keeps between timesteps: the newest undelayed value u, and what the delay makes of it. The undelayed
 * value of timestep t is computed when it is first needed, which under the one-step delay is at t + 1.
 */
class DelayLine {
  #u: TimedValue | undefined;
  #z: TimedValue | undefined;
  /** The input that u is to be computed from when it is needed. */
  #pending: { readonly version: string; readonly compute: () => Tensor4D } | undefined;
  #input: Tensor4D | undefined;

  /** z[t] of the delay, given how u[t] would be computed; undefined where it is zero. */
  step(
    delay: Delay,
    version: string,
    input: Tensor4D,
    compute: (input: Tensor4D) => Tensor4D,
  ): TimedValue | undefined {
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
  readonly lines: Map<number, DelayLine>;
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
  const seen = lineAt(step, 0).step(network.stemDelay, rowClasses(step, ["stem.norm"]), image, (input) => {
    return kernels.maxPool(
      convolutionAndNorm(pass, network.stem, "stem.norm", now(step, input), true).y.values,
    );
  });
  const stemmed: TimedValue = seen ?? { values: nothingSeen(network, image), version: "zero" };
  const features = network.layers.reduce((x, layer) => layerAt(step, layer, x), stemmed).values;
  const name = headName(heads, t);
  const weight = parameter(pass, `${name}.weight`) as Tensor2D;
  return linear(globalAveragePool(features), weight, parameter(pass, `${name}.bias`)).dataSync<"float32">();
}

function layerAt(step: Step, layer: CascadeLayer, input: TimedValue): TimedValue {
  const { pass } = step;
  if (layer.kind === "delayed") return delayedLayerAt(step, layer, input);
  const version = step.nameOf(`${input.version}|${rowClasses(step, chainNorms(layer.chain))}`);
  return { values: runChain(pass, layer.chain, now(step, input.values)).y.values, version };
}

/** out[t] = combine(shortcut(x[t]), delay(branch(x))[t]) */
function delayedLayerAt(step: Step, layer: DelayedLayer, input: TimedValue): TimedValue {
  const shortcut = runChain(step.pass, layer.shortcut, now(step, input.values)).y.values;
  const delayed = branchAt(step, layer, input);
  const values = COMBINATIONS[layer.combine].at(shortcut, delayed?.values, branchChannels(layer));
  return { values, version: step.nameOf(`${input.version}+${delayed?.version ?? "zero"}`) };
}

/** What a layer's delayed branch adds at this timestep, or undefined where it counts as zero. */
function branchAt(step: Step, { position, branch }: DelayedLayer, input: TimedValue): TimedValue | undefined {
  const { scheme } = step.network.spec;
  const delay = branchDelay(scheme);
  const from = countsFrom(scheme, position);
  if (step.t < firstNeeded(delay, from)) return undefined;
  const version = step.nameOf(`(${input.version}|${rowClasses(step, chainNorms(branch))})`);
  const delayed = lineAt(step, position).step(
    delay,
    version,
    input.values,
    (values) => runChain(step.pass, branch, now(step, values)).y.values,
  );
  return step.t >= from ? delayed : undefined;
}

function lineAt({ lines }: Step, position: number): DelayLine {
  const line = lines.get(position) ?? new DelayLine();
  lines.set(position, line);
  return line;
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

/** Which rows of statistics the norms take at this timestep; equal texts are equal rows. */
function rowClasses({ pass, t }: Step, norms: readonly string[]): string {
  return norms.map((name) => valueAt(named(pass.norms, name).rowClass, t)).join();
}

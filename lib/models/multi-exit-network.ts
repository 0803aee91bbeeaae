import { boosted, type Exit, exitCost, exitFeatures, runExit } from "../nn/exit.js";
import { type GraphNode, IMAGE, inputsOf, nodeCost, runNode } from "../nn/feature-graph.js";
import type { Logits } from "../nn/head.js";
import {
  type Layer,
  named,
  type NormSettings,
  type Pullback,
  type Sequence,
  type TrainingPass,
} from "../nn/pass.js";
import { type Tensor4D, tf } from "../nn/tensorflow.js";
import { valueAt } from "../nn/timeline.js";
import { chainTensors, linearTensors, type TensorSpec } from "./tensor-spec.js";

/** What the spec of every multi-exit network says. */
export interface MultiExitSpec {
  readonly classes: number;
  /** Side of the images in pixels: the classifiers read maps of a size that depends on it. */
  readonly imageSize: number;
  readonly norm: NormSettings;
}

/**
 * A feed-forward network with internal classifiers, laid out: nodes in an order in which each finds its inputs, and exits
 * along the way. Timestep t is the answer of exit t, so that its trace has the form of a cascade's.
 */
export interface MultiExitNetwork<Spec extends MultiExitSpec = MultiExitSpec> {
  readonly kind: "multiExit";
  readonly spec: Spec;
  /** As many as there are exits. */
  readonly timesteps: number;
  readonly nodes: readonly GraphNode[];
  readonly exits: readonly Exit[];
  /**
   * Boosted exits (Yu et al. 2022): an exit adds to the answer before it, which passes no gradient,
   *
   *     logits[t] = own[t] + share logits[t-1]
   *
   * Left out where every exit answers by itself.
   */
  readonly boosting?: { readonly share: number };
  /**
   * Gradients that meet where an exit reads are averaged over the exits that they come from, not added (Li et al., "Improved
   * techniques for training adaptive deep networks", 2019): with T - t exits from exit t on,
   *
   *     dx = (dx of exit t + (T - t - 1) dx of all that comes later) / (T - t)
   */
  readonly rescalesGradients?: true;
}

/** Every parameter and running statistic, in order from the image to the last exit. */
export function multiExitTensors({ spec, nodes, exits }: MultiExitNetwork): TensorSpec[] {
  return [
    ...nodes.flatMap((node) => (node.kind === "chain" ? chainTensors(node.chain, 1, spec.norm) : [])),
    ...exits.flatMap((exit) => [
      ...chainTensors(exit.chain, 1, spec.norm),
      ...linearTensors(exit.name, exitFeatures(exit), spec.classes, exit.side),
    ]),
  ];
}

/**
 * Runs the network in training on images [B, H, W, 3]: logits [T, B, K], one timestep an exit, and the pullback that turns
 * their gradient into the pass's gradients. (Evaluation: evaluation.ts.)
 */
export function multiExitForward(
  network: MultiExitNetwork,
  pass: TrainingPass,
  images: Tensor4D,
): Layer<Logits, Float32Array, void> {
  const [batch] = images.shape;
  const { classes } = network.spec;
  const { frozen } = pass;
  const values = new Float32Array(network.exits.length * batch * classes);
  const logits = { values, timesteps: network.exits.length, batch, classes };
  const sequences = new Map([[IMAGE, alone(images)]]);
  const nodes = network.nodes.map((node) => {
    const layer = runNode(frozen ?? pass, node, sequences);
    sequences.set(node.name, layer.y);
    return { node, pullback: layer.pullback };
  });
  const row = batch * classes;
  const answerBefore = (t: number): Float32Array | undefined =>
    t === 0 ? undefined : values.slice((t - 1) * row, t * row);
  const exits = network.exits.map((exit, t) => {
    // The last exit is the backbone's own.
    const isFrozen = frozen !== undefined && t === network.exits.length - 1;
    const x = named(sequences, exit.input);
    const layer = runExit(isFrozen ? frozen : pass, exit, x, answerBefore(t));
    values.set(boosted(layer.y, network.boosting?.share ?? 0, answerBefore(t)), t * row);
    return { input: exit.input, pullback: isFrozen ? undefined : layer.pullback };
  });
  return {
    y: logits,
    pullback: (dlogits) => {
      const byExit = exitGradients(exits, dlogits);
      if (frozen === undefined) pullBack(network, nodes, byExit);
      else for (const { gradient } of byExit) gradient.dispose();
    },
  };
}

interface NodeOnTheWayBack {
  readonly node: GraphNode;
  readonly pullback: Pullback<Tensor4D, readonly Tensor4D[]>;
}

interface ExitOnTheWayBack {
  readonly input: string;
  /** Undefined where it is not trained. */
  readonly pullback: Pullback<Float32Array> | undefined;
}

/** What an exit gives to the value that it reads. */
interface ExitGradient {
  readonly exit: number;
  readonly input: string;
  readonly gradient: Tensor4D;
}

function exitGradients(exits: readonly ExitOnTheWayBack[], dlogits: Float32Array): ExitGradient[] {
  const each = dlogits.length / exits.length;
  return exits.flatMap(({ input, pullback }, exit) =>
    pullback === undefined
      ? []
      : [{ exit, input, gradient: pullback(dlogits.subarray(exit * each, (exit + 1) * each)) }],
  );
}

/** From the last node to the first, each with the gradients of all that read it. */
function pullBack(
  network: MultiExitNetwork,
  nodes: readonly NodeOnTheWayBack[],
  byExit: readonly ExitGradient[],
): void {
  const gradients = new Map<string, Tensor4D>();
  const give = (name: string, gradient: Tensor4D): void => {
    const before = gradients.get(name);
    gradients.set(name, before === undefined ? gradient : tf.add(before, gradient));
    if (before !== undefined) tf.dispose([before, gradient]);
  };
  const giveOfExits = (name: string): void => {
    for (const { exit, input, gradient } of byExit) {
      if (input !== name) continue;
      if (network.rescalesGradients === true) rescale(gradients, name, network.exits.length - exit);
      const share = network.rescalesGradients === true ? 1 / (network.exits.length - exit) : 1;
      give(name, share === 1 ? gradient : scaled(gradient, share));
    }
  };
  for (const { node, pullback } of nodes.toReversed()) {
    giveOfExits(node.name);
    const gradient = gradients.get(node.name);
    // A value that reaches no exit has no gradient, and its weights stay as they are.
    if (gradient === undefined) continue;
    pullback(gradient).forEach((below, i) => {
      give(valueAt(inputsOf(node), i), below);
    });
    gradients.delete(node.name);
  }
  tf.dispose([...gradients.values()]);
}

/** What has come from later exits, before an exit with `left` exits from it on adds its own. */
function rescale(gradients: Map<string, Tensor4D>, name: string, left: number): void {
  const later = gradients.get(name);
  if (later !== undefined) gradients.set(name, scaled(later, (left - 1) / left));
}

/** Frees what it is given. */
function scaled(gradient: Tensor4D, factor: number): Tensor4D {
  const result: Tensor4D = tf.mul(gradient, factor);
  gradient.dispose();
  return result;
}

/** A value at the only timestep there is. */
function alone(values: Tensor4D): Sequence {
  return { values, timeline: { step: [0], rows: [values.shape[0]] } };
}

/** Multiply-adds of one image up to and with each exit, [T]; the classifiers passed on the way count too. */
export function multiExitCost({ spec, nodes, exits }: MultiExitNetwork): number[] {
  const sides = new Map([[IMAGE, spec.imageSize]]);
  let sum = 0;
  let done = 0;
  return exits.map((exit) => {
    const end = nodes.findIndex(({ name }) => name === exit.input) + 1;
    for (; done < end; done++) {
      const node = valueAt(nodes, done);
      const { cost, side } = nodeCost(node, sides);
      sides.set(node.name, side);
      sum += cost;
    }
    sum += exitCost(exit, named(sides, exit.input), spec.classes);
    return sum;
  });
}

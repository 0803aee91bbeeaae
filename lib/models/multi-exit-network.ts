import { type Exit, exitCost, exitFeatures, runExit } from "../nn/exit.js";
import { type GraphNode, IMAGE, inputsOf, nodeCost, runNode } from "../nn/feature-graph.js";
import type { Logits } from "../nn/head.js";
import {
  type Layer,
  named,
  noPullback,
  type NormSettings,
  type Pass,
  type Pullback,
  type Sequence,
} from "../nn/pass.js";
import { scoped, type Tensor4D, tf } from "../nn/tensorflow.js";
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
 * Runs the network on images [B, H, W, 3]: logits [T, B, K], one timestep an exit, and, in a training pass, the pullback
 * that turns their gradient into the pass's gradients.
 */
export function multiExitForward(
  network: MultiExitNetwork,
  pass: Pass,
  images: Tensor4D,
): Layer<Logits, Float32Array, void> {
  const [batch] = images.shape;
  const { classes } = network.spec;
  const { frozen } = pass.kind === "training" ? pass : {};
  const values = new Float32Array(network.exits.length * batch * classes);
  const logits = { values, timesteps: network.exits.length, batch, classes };
  if (pass.kind === "evaluation") {
    for (const step of exitByExit(network, pass, images))
      values.set(step.logits, step.exit * batch * classes);
    return { y: logits, pullback: noPullback };
  }
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
    values.set(boosted(network, layer.y, answerBefore(t)), t * row);
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

/** An exit's answer [B, K], with its share of the one before it where exits are boosted. */
function boosted(
  { boosting }: MultiExitNetwork,
  own: Float32Array,
  before: Float32Array | undefined,
): Float32Array {
  if (boosting === undefined || before === undefined) return own;
  return own.map((value, i) => value + boosting.share * (before[i] as number));
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

/**
 * The answers one after the other, each with no more computed than it needs: `logits` [B, K] of each exit. What is no
 * longer read is freed on the way, the rest when the caller ends.
 */
export function* exitByExit(
  network: MultiExitNetwork,
  pass: Extract<Pass, { kind: "evaluation" }>,
  images: Tensor4D,
): Generator<{ readonly exit: number; readonly logits: Float32Array }> {
  const values = new Map([[IMAGE, alone(images)]]);
  const lastReader = lastReaders(network);
  let done = 0;
  let before: Float32Array | undefined;
  try {
    for (const [exit, described] of network.exits.entries()) {
      const end = network.nodes.findIndex(({ name }) => name === described.input) + 1;
      for (; done < end; done++) {
        const node = valueAt(network.nodes, done);
        values.set(
          node.name,
          kept(() => runNode(pass, node, values).y),
        );
        for (const name of inputsOf(node)) if (lastReader.get(name) === node.name) free(values, name);
      }
      const x = named(values, described.input);
      const own = scoped(() => runExit(pass, described, x, before).y);
      const logits = boosted(network, own, before);
      before = logits;
      if (lastReader.get(described.input) === described.name) free(values, described.input);
      yield { exit, logits };
    }
  } finally {
    for (const name of [...values.keys()]) free(values, name);
  }
}

/** The node or exit that is the last to read each value, in the order in which they are evaluated. */
function lastReaders({ nodes, exits }: MultiExitNetwork): Map<string, string> {
  const readers = new Map<string, string>();
  const exitsOf = (name: string): readonly Exit[] => exits.filter(({ input }) => input === name);
  const order = nodes.flatMap((node) => [
    { name: node.name, inputs: inputsOf(node) },
    ...exitsOf(node.name).map((exit) => ({ name: exit.name, inputs: [exit.input] })),
  ]);
  for (const { name, inputs } of order) for (const input of inputs) readers.set(input, name);
  return readers;
}

/** Frees a value but the image, which is the caller's. */
function free(values: Map<string, Sequence>, name: string): void {
  if (name !== IMAGE) values.get(name)?.values.dispose();
  values.delete(name);
}

/** The value, and nothing else that was made for it. */
function kept(compute: () => Sequence): Sequence {
  return alone(tf.keep(tf.tidy(() => compute().values)));
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

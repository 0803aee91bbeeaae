import { kernels } from "./backend/chosen-kernels.js";
import { relu, reluGradient, slice } from "./backend/elementwise.js";
import { type Chain, chainCost, runChain } from "./chain.js";
import { type Layer, named, type Pass, type Sequence } from "./pass.js";
import { type Tensor4D, tf } from "./tensorflow.js";
import { valueAt } from "./timeline.js";

/** The name under which nodes read the image. */
export const IMAGE = "image";

/** A value computed from earlier ones, by their names: what a feed-forward network is made of, described as data. */
export type GraphNode =
  /** chain(input) */
  | { readonly kind: "chain"; readonly name: string; readonly input: string; readonly chain: Chain }
  /** a + b */
  | { readonly kind: "add"; readonly name: string; readonly inputs: readonly [string, string] }
  /** relu(input) */
  | { readonly kind: "relu"; readonly name: string; readonly input: string }
  /** All inputs one after the other on the channel axis */
  | { readonly kind: "concatenate"; readonly name: string; readonly inputs: readonly string[] };

/** Names of the values that a node reads. */
export function inputsOf(node: GraphNode): readonly string[] {
  return "inputs" in node ? node.inputs : [node.input];
}

/** A node's value, and the gradients by its inputs in their order. */
type NodeLayer = Layer<Sequence, Tensor4D, readonly Tensor4D[]>;

/** One node on values that are there. The pullback leaves the inputs, which their makers free. */
export function runNode(pass: Pass, node: GraphNode, values: ReadonlyMap<string, Sequence>): NodeLayer {
  const inputs = inputsOf(node).map((name) => named(values, name));
  switch (node.kind) {
    case "chain": {
      const layer = runChain(pass, node.chain, valueAt(inputs, 0));
      return { y: layer.y, pullback: (dy) => [layer.pullback(dy)] };
    }
    case "add":
      return sum(valueAt(inputs, 0), valueAt(inputs, 1));
    case "relu":
      return rectified(valueAt(inputs, 0));
    case "concatenate":
      return concatenated(inputs);
  }
}

function sum(a: Sequence, b: Sequence): NodeLayer {
  const values = kernels.add(a.values, b.values);
  return {
    y: { values, timeline: a.timeline },
    pullback: (dy) => {
      values.dispose();
      return [dy, tf.clone(dy)];
    },
  };
}

function rectified(x: Sequence): NodeLayer {
  const values = relu(x.values);
  return {
    y: { values, timeline: x.timeline },
    pullback: (dy) => {
      const dx = reluGradient(dy, values);
      tf.dispose([dy, values]);
      return [dx];
    },
  };
}

function concatenated(inputs: readonly Sequence[]): NodeLayer {
  const values: Tensor4D = tf.concat(
    inputs.map((input) => input.values),
    3,
  );
  return {
    y: { values, timeline: valueAt(inputs, 0).timeline },
    pullback: (dy) => {
      let channel = 0;
      const gradients = inputs.map((input) => {
        const { shape } = input.values;
        const part = slice(dy, [0, 0, 0, channel], shape);
        channel += shape[3];
        return part;
      });
      tf.dispose([dy, values]);
      return gradients;
    },
  };
}

/** Multiply-adds of a node on one image, and the side of its value, given those of the values before it. */
export function nodeCost(
  node: GraphNode,
  sides: ReadonlyMap<string, number>,
): { cost: number; side: number } {
  const side = named(sides, valueAt(inputsOf(node), 0));
  return node.kind === "chain" ? chainCost(node.chain, side) : { cost: 0, side };
}

import type { Logits } from "../nn/head.js";
import { type Layer, noPullback, type Pass, type Sequence } from "../nn/pass.js";
import { UserError } from "../util/errors.js";
import { type CascadedNetwork, cascadeForward, cascadeTensors } from "./cascaded-network.js";
import { evaluate } from "./evaluation.js";
import { type MultiExitNetwork, multiExitForward, multiExitTensors } from "./multi-exit-network.js";
import { isStatistic, type TensorSpec } from "./tensor-spec.js";

/** A network that answers at several timesteps, laid out: a cascade in time, or a feed-forward network with exits. */
export type AnytimeNetwork = CascadedNetwork | MultiExitNetwork;

/** Every parameter and running statistic of the network, in order from the image to the logits. */
export function tensorSpecs(network: AnytimeNetwork): TensorSpec[] {
  return network.kind === "cascade" ? cascadeTensors(network) : multiExitTensors(network);
}

/** Names of the batch norms, in order. */
export function normNames(network: AnytimeNetwork): string[] {
  return tensorSpecs(network)
    .filter((tensor) => tensor.role === "mean")
    .map((tensor) => tensor.name.replace(/\.mean$/, ""));
}

/** How many numbers are trained: all weights, scales and offsets, but no running statistics. */
export function parameterCount(network: AnytimeNetwork): number {
  return tensorSpecs(network)
    .filter((tensor) => !isStatistic(tensor))
    .reduce((sum, tensor) => sum + tensor.shape.reduce((a, b) => a * b, 1), 0);
}

/**
 * Runs the network on a batch of images [rows, H, W, 3] on their timeline: logits [T, B, K], and, in a training pass, the
 * pullback that turns their gradient into the pass's gradients. A UserError where a network that sees one image alone is
 * given frames that change.
 */
export function forward(
  network: AnytimeNetwork,
  pass: Pass,
  images: Sequence,
  batch: number,
): Layer<Logits, Float32Array, void> {
  if (network.kind === "multiExit" && images.timeline.rows.length > 1) {
    throw new UserError(
      "a feed-forward network sees a single image; show it one that does not change over time",
    );
  }
  if (pass.kind === "evaluation") return { y: evaluate(network, pass, images, batch), pullback: noPullback };
  if (network.kind === "cascade") return cascadeForward(network, pass, images, batch);
  return multiExitForward(network, pass, images.values);
}

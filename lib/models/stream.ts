import type { CascadedNetwork } from "./cascaded-network.js";
import { startRun } from "./evaluation.js";
import { softmax } from "../util/softmax.js";
import type { EvaluationPass } from "../nn/pass.js";
import type { Tensor4D } from "../nn/tensorflow.js";
import { constantTimeline } from "../nn/timeline.js";

/** The network's answer at one timestep. */
export interface StreamedStep {
  readonly timestep: number;
  /** [K] */
  readonly probabilities: Float64Array;
  readonly logits: Float32Array;
  /** Largest probability. */
  readonly confidence: number;
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
  const run = startRun(network, pass, { values: image, timeline: constantTimeline(network.timesteps, 1) }, 1);
  try {
    for (let t = 0; t < network.timesteps; t++) {
      const logits = run.advance(t);
      const probabilities = softmax(logits, logits.length);
      yield { timestep: t, probabilities, logits, confidence: Math.max(...probabilities) };
    }
  } finally {
    run.dispose();
  }
}

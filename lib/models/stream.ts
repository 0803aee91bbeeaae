import type { AnytimeNetwork } from "./anytime-network.js";
import { startRun } from "./evaluation.js";
import { type Owned, owning } from "../util/owned.js";
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
 * not evaluated again; of a multi-exit network a timestep is an exit. The image is held fixed; image: [1, H, W, 3],
 * normalised.
 */
export function stream(
  network: AnytimeNetwork,
  pass: EvaluationPass,
  image: Tensor4D,
): Generator<StreamedStep> {
  return owning((owned) => steps(network, pass, image, owned));
}

function* steps(
  network: AnytimeNetwork,
  pass: EvaluationPass,
  image: Tensor4D,
  owned: Owned,
): Generator<StreamedStep> {
  const run = startRun(network, pass, { values: image, timeline: constantTimeline(network.timesteps, 1) }, 1);
  owned.add(() => {
    run.dispose();
  });
  try {
    for (let t = 0; t < network.timesteps; t++) {
      yield stepOf(t, run.advance(t));
    }
  } finally {
    owned.release();
  }
}

function stepOf(timestep: number, logits: Float32Array): StreamedStep {
  const probabilities = softmax(logits, logits.length);
  return { timestep, probabilities, logits, confidence: Math.max(...probabilities) };
}

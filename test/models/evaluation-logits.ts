import { type CascadedNetwork } from "../../lib/models/cascaded-network.js";
import { forward } from "../../lib/models/anytime-network.js";
import { disposeEvaluationPass, disposeState, evaluationPass, initialState } from "../../lib/models/state.js";
import { tf } from "../../lib/nn/tensorflow.js";
import { constantTimeline } from "../../lib/nn/timeline.js";
import { randomStream } from "../../lib/util/random.js";

/** Evaluation logits of an untrained network on two random images, one [B K] row for each timestep. */
export function evaluationLogits(network: CascadedNetwork, side: number): number[][] {
  return tf.tidy(() => {
    const stream = randomStream(5, "images");
    const pixels = Float32Array.from({ length: 2 * side * side * 3 }, () => stream.normal());
    const images = {
      values: tf.tensor4d(pixels, [2, side, side, 3]),
      timeline: constantTimeline(network.timesteps, 2),
    };
    const state = initialState(network, 1);
    const pass = evaluationPass(network, state);
    const { values } = forward(network, pass, images, 2).y;
    disposeEvaluationPass(pass);
    disposeState(state);
    const size = 2 * network.spec.classes;
    return Array.from({ length: network.timesteps }, (_, t) => [
      ...values.subarray(t * size, (t + 1) * size),
    ]);
  });
}

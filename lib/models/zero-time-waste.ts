import type { MultiExitNetwork } from "./multi-exit-network.js";
import { normed } from "./numbered-stage.js";
import { residualArchitecture, residualExits, type ResidualExitsSpec } from "./residual-exits.js";
import { reducedMaps } from "./shallow-deep-network.js";

/**
 * Zero Time Waste (Wołczyk et al., "Zero time waste: recycling predictions in early exit neural networks", 2021) on a ResNet for
 * small images: an internal classifier is a 3x3 convolution, the mixed pool of a Shallow-Deep Network and a linear layer, which
 * also reads the logits of the internal classifier before it (a cascade connection); no gradient passes from one to the next.
 * The backbone is trained first and stays as it is while the internal classifiers are trained (loss.exitWeights "disjoint").
 * Answers are combined afterwards: `fitGeometricEnsemble`.
 *
 * As in the public code but for batch norm after the convolution, where that has a bias. Its backbone's own classifier has no
 * cascade connection.
 */
export function zeroTimeWaste(spec: ResidualExitsSpec): MultiExitNetwork<ResidualExitsSpec> {
  return residualExits(spec, ({ name, sum, channels, side, exit }) => {
    const classifier = `${name}.output`;
    const shape = { size: 3, stride: 1, inputs: channels, outputs: channels };
    const reduced = reducedMaps(classifier, channels, side);
    return {
      ...reduced,
      name: `${classifier}.linear`,
      input: sum,
      chain: [normed(`${classifier}.conv`, 0, shape, true), ...reduced.chain],
      ...(exit > 0 && { logitsBefore: spec.classes }),
    };
  });
}

/** ResNets with cascade connections between their exits, as a spec asks for them. */
export const ZERO_TIME_WASTE = residualArchitecture({
  name: "ztw-resnet",
  model: "ZTW-ResNet",
  exitWeights: "disjoint",
  network: zeroTimeWaste,
});

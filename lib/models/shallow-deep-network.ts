import type { Stage } from "../nn/chain.js";
import type { Exit } from "../nn/exit.js";
import { UserError } from "../util/errors.js";
import type { MultiExitNetwork } from "./multi-exit-network.js";
import { residualArchitecture, residualExits, type ResidualExitsSpec } from "./residual-exits.js";

/**
 * A Shallow-Deep Network (Kaya et al., "Shallow-deep networks: understanding and mitigating network overthinking", 2019) on a
 * ResNet for small images: internal classifiers after some of its residual blocks, each with a mixed pool to 4 x 4 positions.
 */
export type ShallowDeepNetworkSpec = ResidualExitsSpec;

export type ShallowDeepNetwork = MultiExitNetwork<ShallowDeepNetworkSpec>;

/** Side of the maps that an internal classifier reads. */
const REDUCED_SIDE = 4;

/**
 * Lays the network out; its names are the public implementation's. As published, a classifier reads the sum of residual and
 * shortcut without the ReLU.
 */
export function shallowDeepNetwork(spec: ShallowDeepNetworkSpec): ShallowDeepNetwork {
  return residualExits(spec, ({ name, sum, channels, side }) => {
    const classifier = `${name}.output`;
    return {
      name: `${classifier}.linear`,
      input: sum,
      ...reducedMaps(classifier, channels, side),
    };
  });
}

/** Shallow-Deep Networks on a ResNet, as a spec asks for them. The preset "shallow-deep-network" is a serial cascade. */
export const SDN_RESNET = residualArchitecture({
  name: "sdn-resnet",
  model: "SDN-ResNet",
  exitWeights: "shallowDeep",
  network: shallowDeepNetwork,
});

/** Feature reduction of the classifier called `name`: a mixed pool to 4 x 4 positions; what is smaller stays as it is. */
export function reducedMaps(
  name: string,
  channels: number,
  side: number,
): Pick<Exit, "chain" | "side" | "channels"> {
  const window = Math.floor(side / REDUCED_SIDE);
  if (side < REDUCED_SIDE) return { chain: [], side, channels };
  if (!Number.isInteger(Math.log2(window)) || side % window !== 0) {
    throw new UserError(
      `the classifier ${name}.linear reads maps of side ${side}, which cannot be reduced to ${REDUCED_SIDE} by halving; give images whose side is a power of two`,
    );
  }
  const pool: Stage = { kind: "mixedPool", alpha: `${name}.alpha`, window };
  return { chain: [pool], side: side / window, channels };
}

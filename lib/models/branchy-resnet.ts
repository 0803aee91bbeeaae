import { z } from "zod";
import { averagePoolSide } from "../nn/average-pool.js";
import { multiExitArchitecture } from "./architecture.js";
import type { MultiExitNetwork } from "./multi-exit-network.js";
import { normed } from "./numbered-stage.js";
import {
  RESIDUAL_FIELDS,
  residualExits,
  type ResidualExitsSpec,
  residualFault,
  residualLayout,
} from "./residual-exits.js";

/**
 * Early exits in the way of BranchyNet (Teerapittayanon et al., "BranchyNet: fast inference via early exiting from deep neural
 * networks", 2016) on a ResNet for small images: a side branch is a few 3x3 convolutions to 32 channels, a pool and a linear
 * layer. All exits are trained together, and an image leaves where the entropy of the answer is low enough (`stoppingTimes`
 * with the rule "entropy").
 *
 * As in the public code: where branches stand, convolutions of 32 channels, a pool before the linear layer. Otherwise than
 * there: batch norm in the place of local response normalisation, an average pool of 2 in the place of a max pool of 3.
 */
export interface BranchyResNetSpec extends ResidualExitsSpec {
  /** 3x3 convolutions of each branch, in the order of the exits. */
  readonly branchConvolutions: readonly number[];
}

/** Channels of a branch's convolutions. */
const BRANCH_CHANNELS = 32;

/** Lays the network out. */
export function branchyResNet(spec: BranchyResNetSpec): MultiExitNetwork<BranchyResNetSpec> {
  return residualExits(spec, ({ name, block, channels, side, exit }) => {
    const branch = `${name}.branch`;
    const convolutions = Array.from({ length: spec.branchConvolutions[exit] ?? 0 }, (_, i) => {
      const inputs = i === 0 ? channels : BRANCH_CHANNELS;
      return normed(branch, 3 * i, { size: 3, stride: 1, inputs, outputs: BRANCH_CHANNELS }, true);
    });
    return {
      name: `${branch}.linear`,
      input: block,
      chain: [...convolutions, { kind: "averagePool" }],
      side: averagePoolSide(side),
      channels: convolutions.length === 0 ? channels : BRANCH_CHANNELS,
    };
  });
}

/** ResNets with side branches, as a spec asks for them. */
export const BRANCHY_RESNET = multiExitArchitecture({
  name: "branchy-resnet",
  fields: { ...RESIDUAL_FIELDS, branchConvolutions: z.array(z.int().min(0).max(10)) },
  model: "BranchyNet-ResNet",
  exitWeights: "equal",
  faultOf: (own) =>
    residualFault(own) ??
    (own.branchConvolutions.length === own.exits.length
      ? undefined
      : {
          field: "branchConvolutions",
          message: `there are ${own.branchConvolutions.length} for ${own.exits.length} branches (network.exits); give one each`,
        }),
  build: (shared, own) =>
    branchyResNet({ ...shared, ...residualLayout(own), branchConvolutions: own.branchConvolutions }),
});

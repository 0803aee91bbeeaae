import { z } from "zod";
import { multiExitArchitecture } from "./architecture.js";
import { MSDNET, MSDNET_FIELDS, msdNet, type MsdNetSpec } from "./msdnet.js";
import type { MultiExitNetwork } from "./multi-exit-network.js";

/** A boosted dynamic network: an MSDNet, and the share of the answer before that an exit adds to. */
export interface BoostNetSpec extends MsdNetSpec {
  readonly share: number;
}

/**
 * Lays out a boosted dynamic network (Yu et al., "Boosted dynamic neural networks", 2022) on an MSDNet: each exit learns what the
 * answer before it, which passes no gradient, leaves to be done, as a weak learner of gradient boosting does,
 *
 *     F[t] = f[t] + share F[t-1]
 *
 * with the cross-entropies of all F[t] added, and gradients averaged over the exits that they come from. The publication
 * has share 1/2 in its anytime configurations. Parameters and multiply-adds are those of the MSDNet.
 */
export function boostNet(spec: BoostNetSpec): MultiExitNetwork<BoostNetSpec> {
  return { ...msdNet(spec), spec, boosting: { share: spec.share }, rescalesGradients: true };
}

/** Boosted dynamic networks, as a spec asks for them. */
export const BOOSTNET = multiExitArchitecture({
  name: "boostnet",
  fields: { ...MSDNET_FIELDS, share: z.number().min(0).max(1) },
  model: "BoostNet",
  exitWeights: "equal",
  faultOf: MSDNET.faultOf,
  build: (shared, own) => boostNet({ ...shared, ...own }),
});

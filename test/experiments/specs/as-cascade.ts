import assert from "node:assert/strict";
import {
  type CascadeNetworkSpec,
  isCascade,
  type NetworkSpec,
} from "../../../lib/experiments/specs/network-spec.js";
import type { AnytimeNetwork } from "../../../lib/models/anytime-network.js";
import type { CascadedNetwork } from "../../../lib/models/cascaded-network.js";

/** A network that a test knows to be a cascade. */
export function asCascade(network: AnytimeNetwork | undefined): CascadedNetwork {
  assert.equal(network?.kind, "cascade");
  return network;
}

/** The same of a network as a spec describes it. */
export function asCascadeSpec(network: NetworkSpec): CascadeNetworkSpec {
  assert.ok(isCascade(network));
  return network;
}

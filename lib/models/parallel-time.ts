import { exitCost } from "../nn/exit.js";
import { IMAGE, inputsOf, nodeCost } from "../nn/feature-graph.js";
import { headCost } from "../nn/head.js";
import { named } from "../nn/pass.js";
import { stemOutputSide } from "../nn/stem.js";
import type { AnytimeNetwork } from "./anytime-network.js";
import type { CascadedNetwork } from "./cascaded-network.js";
import { cumulative, layerCost, networkCost } from "./cost.js";
import type { MultiExitNetwork } from "./multi-exit-network.js";

/** Hardware with a unit for every block, all equally fast, joined by links. */
export interface ParallelHardware {
  /** What a value takes from one block to the next, in the time of so many multiply-adds of a unit. */
  readonly linkLatency: number;
}

/**
 * When each answer to one image of side `side` is there, [T], on hardware with a unit a block; in multiply-adds of one unit,
 * which take equal time. Units work at the same time, each on its own part of the network:
 *
 * - In a cascade what is delayed (the stem and all branches) works on what was there a timestep before, so that all of it
 *   works at once. A timestep takes as long as the largest evaluation that is due at it, d[t]; what does not wait, the
 *   shortcuts and links, is passed on behind it from block to block:
 *
 *       answer[t] = Σ_{s <= t} d[s] + Σ_i (shortcut_i + link) + head
 *
 *   A serial network as published has the same delays, and does some of the same work: it is no later.
 *
 * - In a serial network without delay (scheme "undelayed") each block waits for the one before it, and so does its answer for
 *   all that was computed until then:
 *
 *       answer[t] = multiply-adds[t] + (blocks + 1) link
 *
 * - In a feed-forward network with exits a part begins when its inputs are there; what does not need one another runs at the same time:
 *
 *       ready[node] = max ready[inputs] + cost[node] + link,   answer[t] = ready[input of exit t] + cost[exit t] + link
 */
export function parallelTimes(
  network: AnytimeNetwork,
  side: number,
  { linkLatency }: ParallelHardware,
): number[] {
  if (network.kind === "multiExit") return criticalPaths(network, linkLatency);
  const { distinct, slowest } = networkCost(network, side);
  if (network.spec.scheme.kind === "serial" && network.spec.scheme.asPublished !== true) {
    const links = (network.layers.length + 1) * linkLatency;
    return distinct.map((cost) => cost + links);
  }
  const passing = passingTime(network, side, linkLatency);
  return cumulative(slowest).map((time) => time + passing);
}

/** From the stem to the answer, by what does not wait. */
function passingTime(network: CascadedNetwork, side: number, link: number): number {
  let passing = headCost(network.features, network.spec.classes) + link;
  let map = stemOutputSide(network.stem, side);
  for (const layer of network.layers) {
    const cost = layerCost(layer, map);
    passing += cost.instant + link;
    map = cost.side;
  }
  return passing;
}

function criticalPaths({ spec, nodes, exits }: MultiExitNetwork, link: number): number[] {
  const sides = new Map([[IMAGE, spec.imageSize]]);
  const ready = new Map([[IMAGE, 0]]);
  for (const node of nodes) {
    const { cost, side } = nodeCost(node, sides);
    const begins = Math.max(...inputsOf(node).map((name) => named(ready, name)));
    // What only joins values is done where they arrive.
    ready.set(node.name, begins + (node.kind === "chain" ? cost + link : 0));
    sides.set(node.name, side);
  }
  let before = 0;
  return exits.map((exit) => {
    const begins = named(ready, exit.input) + exitCost(exit, named(sides, exit.input), spec.classes) + link;
    // An answer that reads the one before it waits for that too; none is there before an earlier one.
    before = Math.max(begins, before);
    return before;
  });
}

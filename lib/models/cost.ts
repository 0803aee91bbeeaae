import type { CascadeLayer } from "../nn/cascade-layer.js";
import { chainCost } from "../nn/chain.js";
import type { AnytimeNetwork } from "./anytime-network.js";
import type { CascadedNetwork } from "./cascaded-network.js";
import { multiExitCost } from "./multi-exit-network.js";
import { planMerge } from "../nn/delay.js";
import { headCost } from "../nn/head.js";
import { planLayer, type Scheme } from "../nn/scheme.js";
import { stemCost, stemOutputSide } from "../nn/stem.js";
import { ABSENT, distinctSteps, type Timeline, valueAt } from "../nn/timeline.js";

/** What one image costs, in multiply-adds, up to and including each timestep: [T], cumulative. */
export interface NetworkCost {
  /** Each distinct step computed once, and only what depends on the image. */
  readonly distinct: number[];
  /** Every layer at every timestep, as a plain loop over time computes it. */
  readonly everyStep: number[];
  /**
   * [T] the largest evaluation, of the stem or of a branch, whose result is due at a timestep and not before; 0 where none is.
   * Empty for a network that is no cascade.
   */
  readonly slowest: number[];
  /** Evaluations on distinct, image-dependent input, by delayed layer (residual block or dense layer). */
  readonly evaluations: number[];
  /** [delayed layers][T] which state of the image each one's input is in, from 1; 0 where nothing of the image has arrived. */
  readonly inputStep: number[][];
}

/**
 * Counts the multiply-adds of one image of side `side`, shown as `frames` says: `[T]` equal numbers are equal frames,
 * one fixed image unless told.
 */
export function networkCost(
  network: AnytimeNetwork,
  side: number,
  frames: readonly number[] = Array<number>(network.timesteps).fill(0),
): NetworkCost {
  if (network.kind === "cascade") return cascadeCost(network, side, frames);
  const once = multiExitCost(network);
  return { distinct: once, everyStep: once, slowest: [], evaluations: [], inputStep: [] };
}

function cascadeCost(network: CascadedNetwork, side: number, frames: readonly number[]): NetworkCost {
  const { timesteps, spec } = network;
  const { step, firstTimestep } = distinctSteps(frames.map(String));
  // Two rows stand for "depends on the image", one for "the same for every image".
  const image: Timeline = { step, rows: firstTimestep.map(() => 2) };
  const distinct = Array<number>(timesteps).fill(0);
  const everyStep = Array<number>(timesteps).fill(0);
  const stem = stemCost(network.stem, side);
  const delayed = planMerge(network.stemDelay, image);
  // The stem works on a frame when it comes in; what no later timestep reads is not worked on.
  for (const [d, t] of firstTimestep.entries()) if (delayed.residual.includes(d)) distinct[t] = stem;
  const slowest = Array<number>(timesteps).fill(0);
  for (const t of firstUses(delayed.timeline, delayed.residual, image)) slowest[t] = stem;
  let x = delayed.timeline;
  let map = stemOutputSide(network.stem, side);
  const evaluations: number[] = [];
  const inputStep: number[][] = [];
  for (const layer of network.layers) {
    const cost = layerCost(layer, map);
    const due = dueTimesteps(spec.scheme, cost.position, x);
    for (const t of due.delayed) {
      distinct[t] = (distinct[t] ?? 0) + cost.delayed;
      slowest[t] = Math.max(slowest[t] ?? 0, cost.delayed);
    }
    for (const t of due.instant) distinct[t] = (distinct[t] ?? 0) + cost.instant;
    if (cost.position !== undefined) {
      inputStep.push(x.step.map((d) => imageStatesUpTo(x, d)));
      evaluations.push(due.delayed.length);
    }
    for (let t = 0; t < timesteps; t++) everyStep[t] = (everyStep[t] ?? 0) + cost.delayed + cost.instant;
    x = due.result;
    map = cost.side;
  }
  const head = headCost(network.features, spec.classes);
  const seen = new Set<number>();
  for (let t = 0; t < timesteps; t++) {
    everyStep[t] = (everyStep[t] ?? 0) + stem + head;
    const d = valueAt(x.step, t);
    const fresh = spec.heads === "perTimestep" || !seen.has(d);
    if (fresh && valueAt(x.rows, d) > 1) distinct[t] = (distinct[t] ?? 0) + head;
    seen.add(d);
  }
  return {
    distinct: cumulative(distinct),
    everyStep: cumulative(everyStep),
    slowest,
    evaluations,
    inputStep,
  };
}

/** Multiply-adds of one evaluation of a layer on one image of side `side`, what it delays and what passes at once. */
export function layerCost(
  layer: CascadeLayer,
  side: number,
): { position: number | undefined; delayed: number; instant: number; side: number } {
  if (layer.kind === "instant") {
    const { cost, side: after } = chainCost(layer.chain, side);
    return { position: undefined, delayed: 0, instant: cost, side: after };
  }
  const { cost: delayed, side: after } = chainCost(layer.branch, side);
  return { position: layer.position, delayed, instant: chainCost(layer.shortcut, side).cost, side: after };
}

/**
 * At which timesteps the evaluations of a layer are due: those of its delayed part, each when the result that it is
 * part of is due, and those of what passes at once.
 */
function dueTimesteps(
  scheme: Scheme,
  position: number | undefined,
  x: Timeline,
): { delayed: number[]; instant: number[]; result: Timeline } {
  if (position === undefined) return { delayed: [], instant: firstUses(x, [...x.rows.keys()], x), result: x };
  const { branchInput, plan } = planLayer(scheme, position, x);
  const merged = plan(branchInput.timeline, x);
  return {
    delayed: firstUses(merged.timeline, merged.residual, branchInput.timeline),
    instant: firstUses(merged.timeline, merged.shortcut, x),
    result: merged.timeline,
  };
}

/** For each image-dependent step of `source` that the result uses: the first timestep at which it does. */
function firstUses(result: Timeline, sources: readonly number[], source: Timeline): number[] {
  const used = new Map<number, number>();
  for (const [t, d] of result.step.entries()) {
    const from = valueAt(sources, d);
    if (from !== ABSENT && valueAt(source.rows, from) > 1 && !used.has(from)) used.set(from, t);
  }
  return [...used.values()];
}

/** Which of its image-dependent states a timeline is in at distinct step d, counted from 1; 0 at one without an image. */
function imageStatesUpTo({ rows }: Timeline, d: number): number {
  return valueAt(rows, d) === 1 ? 0 : rows.slice(0, d + 1).filter((count) => count > 1).length;
}

/** Sums from the first value up to each. */
export function cumulative(values: readonly number[]): number[] {
  let sum = 0;
  return values.map((value) => (sum += value));
}

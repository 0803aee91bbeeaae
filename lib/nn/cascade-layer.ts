import { kernels } from "./backend/chosen-kernels.js";
import { type Chain, chainConvolutions, chainNorms, runChain } from "./chain.js";
import { COMBINATIONS, type CombinationKind } from "./combination.js";
import type { Layer, Pass, Sequence } from "./pass.js";
import { planLayer, type Scheme } from "./scheme.js";
import { selectSteps } from "./select-steps.js";
import { keepStatistics } from "./temporal-batch-norm.js";
import { tf } from "./tensorflow.js";

/**
 * A layer between stem and head, described once and as data: training runs the description, evaluation and streaming run the
 * program that is made of it, cost counts it (lib/models), and none of them knows an architecture.
 */
export type CascadeLayer = DelayedLayer | InstantLayer;

/** out[t] = combine(shortcut(x[t]), delay(branch(x))[t]) */
export interface DelayedLayer {
  readonly kind: "delayed";
  readonly name: string;
  /** Place among the delayed layers, counted from 1. */
  readonly position: number;
  readonly branch: Chain;
  /** Without stages the input itself. */
  readonly shortcut: Chain;
  readonly combine: CombinationKind;
}

/** out[t] = chain(x[t]) */
export interface InstantLayer {
  readonly kind: "instant";
  readonly chain: Chain;
}

/** Every chain of a layer, in the order of its parameters. */
export function chainsOf(layer: CascadeLayer): readonly Chain[] {
  return layer.kind === "instant" ? [layer.chain] : [layer.branch, layer.shortcut];
}

/** Channels that the branch adds. */
export function branchChannels({ branch }: DelayedLayer): number {
  return chainConvolutions(branch).at(-1)?.outputs ?? 0;
}

/** One layer at every timestep. The pullback leaves `x`, which its maker frees. */
export function runLayer(pass: Pass, layer: CascadeLayer, scheme: Scheme, x: Sequence): Layer {
  return layer.kind === "instant" ? runChain(pass, layer.chain, x) : runDelayed(pass, layer, scheme, x);
}

function runDelayed(pass: Pass, layer: DelayedLayer, scheme: Scheme, x: Sequence): Layer {
  const { branchInput, plan } = planLayer(scheme, layer.position, x.timeline);
  if (branchInput.timeline.rows.length === 0) return withoutBranch(pass, layer, x);
  const input = selectSteps(x, branchInput);
  const branch = runChain(pass, layer.branch, input.y);
  const shortcut = runChain(pass, layer.shortcut, x);
  const combination = COMBINATIONS[layer.combine];
  const joined = combination.join(shortcut.y, branch.y, plan(branch.y.timeline, shortcut.y.timeline));
  return {
    y: joined.y,
    pullback: (dy) => {
      const { dshortcut, dbranch } = joined.pullback(dy);
      const byBranch = input.pullback(branch.pullback(dbranch));
      const byShortcut = shortcut.pullback(dshortcut);
      const dx = kernels.add(byBranch, byShortcut);
      tf.dispose([byBranch, byShortcut]);
      return dx;
    },
  };
}

/** A layer whose turn comes after the last timestep: its branch counts nowhere and learns nothing. */
function withoutBranch(pass: Pass, layer: DelayedLayer, x: Sequence): Layer {
  for (const norm of chainNorms(layer.branch)) keepStatistics(pass, norm);
  const shortcut = runChain(pass, layer.shortcut, x);
  const alone = COMBINATIONS[layer.combine].alone(shortcut.y, branchChannels(layer));
  return { y: alone.y, pullback: (dy) => shortcut.pullback(alone.pullback(dy)) };
}

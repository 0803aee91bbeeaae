/** How much the loss of each exit (the answer of a timestep) counts, where that changes over a training. */
export type ExitWeights =
  /** The schedule of Shallow-Deep Networks. */
  | { readonly kind: "shallowDeep" }
  /**
   * The backbone alone, by its last exit, for the share `backbone` of the training, then all exits together (Kubaty et al.,
   * "Joint or disjoint: mixing training regimes for early-exit models", 2024).
   */
  | { readonly kind: "mixed"; readonly backbone: number }
  /** The backbone alone as before, then the internal classifiers alone, on a backbone that stays as it is. */
  | { readonly kind: "disjoint"; readonly backbone: number };

/** Weights [T] of T timesteps, of which those from `firstTimestep` count, after the share p of a training. */
export function exitWeightsAt(
  exitWeights: ExitWeights,
  timesteps: number,
  firstTimestep: number,
  p: number,
): number[] {
  if (exitWeights.kind === "shallowDeep") return shallowDeepWeights(timesteps, firstTimestep, p);
  const isFirstPart = p < exitWeights.backbone;
  return Array.from({ length: timesteps }, (_, t) => {
    if (t < firstTimestep) return 0;
    const isLast = t === timesteps - 1;
    if (isFirstPart) return isLast ? 1 : 0;
    return isLast && exitWeights.kind === "disjoint" ? 0 : 1;
  });
}

/** Whether the backbone stays as it is after the share p of a training. */
export function isBackboneFrozen(exitWeights: ExitWeights | undefined, p: number): boolean {
  return exitWeights?.kind === "disjoint" && p >= exitWeights.backbone;
}

/** With which every internal classifier of a Shallow-Deep Network begins. */
const FIRST_WEIGHT = 0.01;

/**
 * Weights of the exits of a Shallow-Deep Network, T timesteps of which those from `firstTimestep` count, after the
 * share p of a training:
 *
 *     depth[t] = (t - firstTimestep + 1) / (T - firstTimestep)
 *     w[t]     = min(depth[t], 0.01 + p depth[t])   for t < T - 1,      w[T-1] = 1
 *
 * So an internal classifier's weight grows linearly from 0.01 to its relative depth, and the last one's is 1
 * throughout. In the publication the final weight is the exit's share of the network's cost, with exits at equal
 * distances of it, and p is advanced once an epoch (Kaya, Hong and Dumitras, "Shallow-deep networks: understanding
 * and mitigating network overthinking", 2019).
 */
export function shallowDeepWeights(timesteps: number, firstTimestep: number, p: number): number[] {
  return Array.from({ length: timesteps }, (_, t) => {
    if (t < firstTimestep) return 0;
    if (t === timesteps - 1) return 1;
    const depth = (t - firstTimestep + 1) / (timesteps - firstTimestep);
    return Math.min(depth, FIRST_WEIGHT + p * depth);
  });
}

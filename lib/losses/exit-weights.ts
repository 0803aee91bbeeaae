/** How much the loss of each exit (the answer of a timestep) counts, where that changes over a training. */
export interface ExitWeights {
  /** The schedule of Shallow-Deep Networks. */
  readonly kind: "shallowDeep";
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

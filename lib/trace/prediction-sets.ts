import { UserError } from "../util/errors.js";
import { type RandomStream, randomStream } from "../util/random.js";
import { probabilities } from "./probabilities.js";
import { assertValidation, type ValidationTrace } from "./split.js";
import { assertShapeAndLabels, type Trace } from "./trace.js";

/** Which classes are in the set of each timestep and example: [T, N, K] of 1 and 0. */
export type PredictionSets = Uint8Array;

/**
 * Split conformal prediction sets of each timestep on its own (Vovk et al. 2005; the score 1 - p of Sadinle et al. 2019):
 * class k is in the set where 1 - p[t, n, k] <= q[t], the ⌈(M + 1)(1 - α)⌉-th smallest score of the M validation labels.
 * Each timestep covers the label with probability 1 - α, but a class that left may come back later.
 */
export function conformalSets(heldOut: ValidationTrace, trace: Trace, alpha: number): PredictionSets {
  assertValidation(heldOut, "scores are calibrated");
  assertAlpha(alpha);
  const rank = Math.ceil((heldOut.examples + 1) * (1 - alpha));
  const own = probabilities(heldOut);
  const levels = Float64Array.from({ length: heldOut.timesteps }, (_, t) => {
    const scores = Float64Array.from(
      heldOut.labels,
      (label, n) => 1 - (own[(t * heldOut.examples + n) * heldOut.classes + label] as number),
    ).sort();
    return scores[rank - 1] ?? 1;
  });
  const row = trace.examples * trace.classes;
  return Uint8Array.from(probabilities(trace), (p, i) =>
    1 - p <= (levels[Math.floor(i / row)] as number) ? 1 : 0,
  );
}

/**
 * Nested prediction sets (Jazbec et al. 2024) as an anytime-valid confidence sequence: with weights a = l where the logit
 * is above its timestep's threshold, else 0, and θ[t, n] drawn from Dirichlet(a[t, n]),
 *
 *     R[t, n, k] = Π_{s <= t} (a[s, n, k] / Σ_j a[s, n, j]) / θ[s, n, k],   set[t, n] = { k : R[t, n, k] <= 1 / α }
 *
 * A class with a = 0 at any timestep is out from there on. `thresholds` [T].
 */
export function nestedSets(
  trace: Trace,
  thresholds: ArrayLike<number>,
  alpha: number,
  seed = 0,
): PredictionSets {
  assertAlpha(alpha);
  const stream = randomStream(seed, "nested-sets");
  const { timesteps, examples, classes, logits } = trace;
  const sets = new Uint8Array(logits.length);
  const ratio = new Float64Array(examples * classes).fill(1);
  const row = examples * classes;
  for (let t = 0; t < timesteps; t++) {
    for (let start = 0; start < row; start += classes) {
      const own = logits.subarray(t * row + start, t * row + start + classes);
      const weights = Float64Array.from(own, (logit) =>
        logit > Math.max(0, thresholds[t] as number) ? logit : 0,
      );
      dirichletRatios(weights, stream).forEach((factor, k) => {
        const running = (ratio[start + k] as number) * factor;
        ratio[start + k] = running;
        // A set only ever loses classes, also where a later factor below 1 brings the ratio back under 1/α.
        const wasIn = t === 0 || sets[(t - 1) * row + start + k] === 1;
        sets[t * row + start + k] = wasIn && running <= 1 / alpha ? 1 : 0;
      });
    }
  }
  return sets;
}

/** Steps in which thresholds of logits are raised. */
const THRESHOLD_STEP = 0.5;

/**
 * Thresholds of nested sets, [T], chosen on validation images: from the first timestep on, each is raised in steps of 0.5
 * as long as the sets of every timestep cover the label of at least 1 - α of the images. High thresholds make small sets.
 * All stay at 0 where even that covers too few.
 */
export function fitNestedThresholds(heldOut: ValidationTrace, alpha: number, seed = 0): Float64Array {
  assertValidation(heldOut, "thresholds are chosen");
  const thresholds = new Float64Array(heldOut.timesteps);
  const highest = Float64Array.from(heldOut.logits).reduce((most, logit) => Math.max(most, logit), 0);
  const covers = (): boolean =>
    setMeasures(nestedSets(heldOut, thresholds, alpha, seed), heldOut).every(
      ({ coverage }) => coverage >= 1 - alpha,
    );
  for (let t = 0; t < thresholds.length; t++) {
    const before = (): number => thresholds[t] as number;
    while (before() < highest) {
      thresholds[t] = before() + THRESHOLD_STEP;
      if (covers()) continue;
      thresholds[t] = before() - THRESHOLD_STEP;
      break;
    }
  }
  return thresholds;
}

/** a[k] / Σ a, divided by a draw from Dirichlet(a); infinite where a[k] is 0. */
function dirichletRatios(weights: Float64Array, stream: RandomStream): Float64Array {
  const draws = weights.map((weight) => (weight > 0 ? stream.gamma(weight) : 0));
  const total = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);
  const [sumOfWeights, sumOfDraws] = [total(weights), total(draws)];
  return weights.map((weight, k) =>
    weight > 0 ? weight / sumOfWeights / ((draws[k] as number) / sumOfDraws) : Infinity,
  );
}

/** How good the prediction sets of one timestep are. */
export interface SetMeasures {
  /** Share of the examples whose label is in the set. */
  readonly coverage: number;
  /** Mean number of classes in the set. */
  readonly size: number;
  /** Share of the set's classes that were in every earlier set too, mean over sets that are not empty. */
  readonly nestedness: number;
}

/** Coverage, size and nestedness of the sets at each timestep, [T]. */
export function setMeasures(sets: PredictionSets, trace: Trace): SetMeasures[] {
  assertShapeAndLabels(trace);
  const { timesteps, examples, classes, labels } = trace;
  const everIn = new Uint8Array(examples * classes).fill(1);
  return Array.from({ length: timesteps }, (_, t) => {
    let [covered, members, nested, filled] = [0, 0, 0, 0];
    for (let n = 0; n < examples; n++) {
      let [size, stayed] = [0, 0];
      for (let k = 0; k < classes; k++) {
        const isIn = sets[(t * examples + n) * classes + k] as number;
        const place = n * classes + k;
        everIn[place] = (everIn[place] as number) & isIn;
        size += isIn;
        stayed += everIn[place];
      }
      covered += sets[(t * examples + n) * classes + (labels[n] as number)] as number;
      members += size;
      if (size > 0) [nested, filled] = [nested + stayed / size, filled + 1];
    }
    return { coverage: covered / examples, size: members / examples, nestedness: nested / filled };
  });
}

function assertAlpha(alpha: number): void {
  if (!(alpha > 0 && alpha < 1)) {
    throw new UserError(`the share of labels that a set may miss lies between 0 and 1, not at ${alpha}`);
  }
}

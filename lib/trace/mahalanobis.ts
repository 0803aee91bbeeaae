import { UserError } from "../util/errors.js";
import { assertLabels, lastAxis } from "../util/shapes.js";

/** A normal distribution for each class, all of one covariance (Lee et al. 2018). */
export interface ClassGaussians {
  /** [K][D] */
  readonly means: readonly Float64Array[];
  /** [D, D] lower triangle L of the covariance, L Lᵀ. */
  readonly factor: Float64Array;
}

/**
 * Fits class means and their common covariance to features [N, D] with labels [N] of K classes:
 *
 *     μ_k = mean of the rows of class k,   Σ = 1/N Σ_n (x_n - μ_{y_n})(x_n - μ_{y_n})ᵀ + ρ tr(Σ)/D I
 *
 * The ridge ρ keeps features without variance harmless. Throws a UserError for a class without
 * examples, a label that is no class, or features that do not divide.
 */
export function fitClassGaussians(
  features: Float64Array,
  labels: Int32Array,
  classes: number,
  ridge = 1e-3,
): ClassGaussians {
  const N = labels.length;
  const D = lastAxis(features.length, { examples: N });
  assertLabels(labels, classes);
  const counts = new Int32Array(classes);
  const means = Array.from({ length: classes }, () => new Float64Array(D));
  for (let n = 0; n < N; n++) {
    const k = labels[n] as number;
    counts[k] = (counts[k] as number) + 1;
    const mean = means[k] as Float64Array;
    for (let d = 0; d < D; d++) mean[d] = (mean[d] as number) + (features[n * D + d] as number);
  }
  const empty = counts.indexOf(0);
  if (empty >= 0) throw new UserError(`class ${empty} has no examples to fit a distribution to`);
  means.forEach((mean, k) => {
    for (let d = 0; d < D; d++) mean[d] = (mean[d] as number) / (counts[k] as number);
  });
  const covariance = new Float64Array(D * D);
  const row = new Float64Array(D);
  for (let n = 0; n < N; n++) {
    const mean = means[labels[n] as number] as Float64Array;
    for (let d = 0; d < D; d++) row[d] = (features[n * D + d] as number) - (mean[d] as number);
    for (let i = 0; i < D; i++) {
      const scaled = (row[i] as number) / N;
      for (let j = 0; j <= i; j++)
        covariance[i * D + j] = (covariance[i * D + j] as number) + scaled * (row[j] as number);
    }
  }
  let trace = 0;
  for (let d = 0; d < D; d++) trace += covariance[d * D + d] as number;
  for (let d = 0; d < D; d++) covariance[d * D + d] = (covariance[d * D + d] as number) + (ridge * trace) / D;
  return { means, factor: choleskyFactor(covariance, D) };
}

/** Squared Mahalanobis distance of each row of features [N, D] to the nearest class, min_k (x - μ_k)ᵀ Σ⁻¹ (x - μ_k): [N]. */
export function nearestClassDistance(
  { means, factor }: ClassGaussians,
  features: Float64Array,
): Float64Array {
  const D = means[0]?.length ?? 0;
  const examples = lastAxis(features.length, { features: D });
  const whitened = new Float64Array(D);
  const centres = means.map((mean) => solveLower(factor, mean, 0, new Float64Array(D)));
  return Float64Array.from({ length: examples }, (_, n) => {
    solveLower(factor, features, n * D, whitened);
    let nearest = Infinity;
    for (const centre of centres) {
      let distance = 0;
      for (let d = 0; d < D; d++) distance += ((whitened[d] as number) - (centre[d] as number)) ** 2;
      nearest = Math.min(nearest, distance);
    }
    return nearest;
  });
}

/** L with L Lᵀ = A, from the lower triangle of a positive definite A [D, D]. */
function choleskyFactor(A: Float64Array, D: number): Float64Array {
  const L = new Float64Array(D * D);
  for (let i = 0; i < D; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = A[i * D + j] as number;
      for (let k = 0; k < j; k++) rest -= (L[i * D + k] as number) * (L[j * D + k] as number);
      if (i !== j) L[i * D + j] = rest / (L[j * D + j] as number);
      else if (rest > 0) L[i * D + i] = Math.sqrt(rest);
      else throw new UserError("the features have no variance to fit a distribution to");
    }
  }
  return L;
}

/** Solves L z = x for the row x that starts at `start`, into `z` [D]. */
function solveLower(L: Float64Array, x: Float64Array, start: number, z: Float64Array): Float64Array {
  const D = z.length;
  for (let i = 0; i < D; i++) {
    let rest = x[start + i] as number;
    for (let k = 0; k < i; k++) rest -= (L[i * D + k] as number) * (z[k] as number);
    z[i] = rest / (L[i * D + i] as number);
  }
  return z;
}

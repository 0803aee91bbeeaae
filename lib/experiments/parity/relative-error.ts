import type { Sampled } from "./reference-case.js";

/** max |a - b| / max |b|; infinite where the lengths differ or a value is no number. */
export function arrayError(actual: ArrayLike<number>, expected: readonly number[]): number {
  if (actual.length !== expected.length) return Infinity;
  let difference = 0;
  let largest = 0;
  for (const [i, b] of expected.entries()) {
    difference = Math.max(difference, Math.abs((actual[i] as number) - b));
    largest = Math.max(largest, Math.abs(b));
  }
  if (Number.isNaN(difference)) return Infinity;
  return difference === 0 ? 0 : difference / largest;
}

/**
 * Largest `tensorError` over the tensors whose gradient norm is above 1e-6 of the largest (below it there is only
 * rounding to compare), or over all where no gradients are given.
 */
export function sampledError(
  actual: ReadonlyMap<string, Float32Array>,
  expected: Readonly<Record<string, Sampled>>,
  gradients?: Readonly<Record<string, Sampled>>,
): number {
  const largest = Math.max(0, ...Object.values(gradients ?? {}).map(({ norm }) => norm));
  const isCompared = (name: string): boolean =>
    gradients === undefined || (gradients[name]?.norm ?? 0) > 1e-6 * largest;
  const errors = Object.entries(expected)
    .filter(([name]) => isCompared(name))
    .map(([name, reference]) => tensorError(actual.get(name), reference));
  return Math.max(0, ...errors);
}

/** Largest of |norm - norm'| / norm' and |value - value'| / max(|value'|, norm' / sqrt(size)). */
function tensorError(values: Float32Array | undefined, { norm, at, values: sampled }: Sampled): number {
  if (values === undefined) return Infinity;
  const actualNorm = euclideanNorm(values);
  if (norm === 0) return actualNorm === 0 ? 0 : Infinity;
  const floor = norm / Math.sqrt(values.length);
  const errors = sampled.map(
    (value, i) => Math.abs((values[at[i] ?? NaN] ?? NaN) - value) / Math.max(Math.abs(value), floor),
  );
  const error = Math.max(Math.abs(actualNorm - norm) / norm, ...errors);
  return Number.isNaN(error) ? Infinity : error;
}

function euclideanNorm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

/**
 * The recipe from which the reference numbers' weights, inputs and traces are remade, n values in [-1, 1):
 *
 *     x = k + seed 0x9E3779B9  (mod 2^32),   u[k] = finalize(x) / 2^31 - 1
 *
 * where finalize is MurmurHash3's 32-bit finalizer.
 */
export function recipeUniform(seed: number, n: number): Float64Array {
  const start = Math.imul(seed, 0x9e3779b9);
  return Float64Array.from({ length: n }, (_, k) => {
    let x = (start + k) >>> 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    return ((x ^ (x >>> 16)) >>> 0) / 2 ** 31 - 1;
  });
}

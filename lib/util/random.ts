/**
 * Counter-based random streams: value k of a stream is a pure function of (seed, stream name, k), so no stream
 * disturbs another, and work that names its streams by epoch and batch can be resumed anywhere.
 *
 * Generator: a 32-bit finalizer (MurmurHash3's) over a keyed Weyl sequence, applied twice with two keys.
 */

const WEYL = 0x9e3779b9;

function mix(x: number): number {
  let h = x >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Hash of a text to 32 bits (FNV-1a, then mixed). */
function hashText(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return mix(h);
}

export class RandomStream {
  readonly #key0: number;
  readonly #key1: number;
  #counter = 0;

  constructor(seed: number, name: string) {
    this.#key0 = mix(hashText(name) ^ mix(seed));
    this.#key1 = mix(Math.imul(this.#key0, WEYL) + seed);
  }

  /** Next value, uniform over the integers 0 .. 2^32 - 1. */
  uint32(): number {
    const k = this.#counter++;
    const low = mix((Math.imul(k >>> 0, WEYL) + this.#key0) >>> 0);
    return mix(low ^ this.#key1 ^ Math.imul(Math.floor(k / 2 ** 32), WEYL));
  }

  /** Next value, uniform in [0, 1). */
  uniform(): number {
    return this.uint32() / 2 ** 32;
  }

  /** Next integer, uniform in 0 .. n - 1 (bias below n / 2^32). */
  integer(n: number): number {
    return Math.floor(this.uniform() * n);
  }

  /** Next value of the standard normal distribution (Box-Muller, one of the pair). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log((this.uint32() + 1) / 2 ** 32));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Next value of the gamma distribution of this shape and scale 1 (Marsaglia and Tsang 2000). */
  gamma(shape: number): number {
    // Below 1 the method needs a shape raised by 1, and its draw scaled by a power of a uniform one.
    if (shape < 1) return this.gamma(shape + 1) * ((this.uint32() + 1) / 2 ** 32) ** (1 / shape);
    const d = shape - 1 / 3;
    for (;;) {
      const x = this.normal();
      const v = (1 + x / Math.sqrt(9 * d)) ** 3;
      if (v <= 0) continue;
      const logUniform = Math.log((this.uint32() + 1) / 2 ** 32);
      if (logUniform < x ** 2 / 2 + d * (1 - v + Math.log(v))) return d * v;
    }
  }

  /** A uniformly random order of 0 .. n - 1 (Fisher-Yates). */
  permutation(n: number): Int32Array {
    const order = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const swapped = order[i] as number;
      order[i] = order[j] as number;
      order[j] = swapped;
    }
    return order;
  }
}

/** The stream called `name` under `seed`, from its beginning. */
export function randomStream(seed: number, name: string): RandomStream {
  return new RandomStream(seed, name);
}

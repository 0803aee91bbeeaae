import { randomStream } from "../../lib/util/random.js";

/** An image `[H, W, 3]` of independent normal values: no two pixels are equal, none is zero. */
export function randomImage({ height, width }: { height: number; width: number }, seed = 0): Float32Array {
  const stream = randomStream(seed, "test/image");
  return Float32Array.from({ length: height * width * 3 }, () => stream.normal());
}

/** `[H, W, 3]` of one colour. */
export function constantImage({ height, width }: { height: number; width: number }): Float32Array {
  return Float32Array.from({ length: height * width * 3 }, (_, i) => [0.5, -1, 2][i % 3] as number);
}

/** Largest absolute difference. */
export function gap(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < a.length; i++)
    largest = Math.max(largest, Math.abs((a[i] as number) - (b[i] as number)));
  return largest;
}

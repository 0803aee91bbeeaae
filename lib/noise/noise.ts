import type { ImageSize } from "../util/image-size.js";
import { randomStream, type RandomStream } from "../util/random.js";

/** Names one draw of a noise: what falls on image `id` at timestep `t` under `seed`, whatever was drawn before. */
export interface NoiseDraw {
  readonly seed: number;
  /** The image's place in its data set, so that its noise does not depend on the batch that it comes in. */
  readonly id: number;
  readonly t: number;
  /** Shown at all timesteps, so that nothing went before it. */
  readonly held?: boolean;
}

/** A disturbed copy of an image `[H, W, C]`: a pure function of image and draw. */
export type Noise = (image: Float32Array, size: ImageSize, draw: NoiseDraw) => Float32Array;

/** The random numbers of one draw of the noise called `name`. */
export function drawStream(name: string, { seed, id, t }: NoiseDraw): RandomStream {
  return randomStream(seed, `noise/${name}/${id}/${t}`);
}

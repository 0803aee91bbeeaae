import type { ImageSize } from "../util/image-size.js";
import { UserError } from "../util/errors.js";
import type { NoiseDraw } from "./noise.js";
import { NOISE_STRENGTHS, type NoiseName, type NoiseStrength } from "./noises.js";

/** When an image is disturbed, and by which draw of the noise. */
export type NoiseSchedule =
  /** One draw, shown at all timesteps. */
  | { readonly kind: "persistent" }
  /** A fresh draw at every timestep; of the translation, its walk. */
  | { readonly kind: "transient" }
  /** A fresh draw at each of these timesteps, and the clean image between. */
  | { readonly kind: "pulsed"; readonly timesteps: readonly number[] };

/** A noise on its schedule. */
export interface Disturbance {
  readonly noise: NoiseName;
  readonly schedule: NoiseSchedule;
  readonly seed: number;
  /** "published" unless told. */
  readonly strength?: NoiseStrength | undefined;
}

/** In the place of a draw: the clean image. */
export const CLEAN = -1;

/**
 * The draw shown at each of T timesteps, `[T]`: equal numbers are equal frames, CLEAN is the image itself. Throws a
 * UserError for a pulse that is no timestep.
 */
export function scheduledDraws(schedule: NoiseSchedule, timesteps: number): number[] {
  const times = Array.from({ length: timesteps }, (_, t) => t);
  switch (schedule.kind) {
    case "persistent":
      return times.map(() => 0);
    case "transient":
      return times;
    case "pulsed": {
      const stray = schedule.timesteps.find((t) => !times.includes(t));
      if (stray !== undefined)
        throw new UserError(
          `the noise has a pulse at t = ${stray}; allowed are whole numbers from 0 to ${timesteps - 1}`,
        );
      return times.map((t) => (schedule.timesteps.includes(t) ? t : CLEAN));
    }
  }
}

/** Image `id`, `[H, W, C]`, under draw `t` of a disturbance, or itself where t is CLEAN. */
export function disturbed(
  { noise, schedule, seed, strength = "published" }: Disturbance,
  image: Float32Array,
  size: ImageSize,
  { id, t }: Pick<NoiseDraw, "id" | "t">,
): Float32Array {
  if (t === CLEAN) return image;
  return NOISE_STRENGTHS[strength][noise](image, size, { seed, id, t, held: schedule.kind === "persistent" });
}

/** What the network is shown of image `id` at each of T timesteps: T frames `[H, W, C]`. */
export function disturbedFrames(
  disturbance: Disturbance,
  image: Float32Array,
  size: ImageSize,
  id: number,
  timesteps: number,
): Float32Array[] {
  return scheduledDraws(disturbance.schedule, timesteps).map((t) =>
    disturbed(disturbance, image, size, { id, t }),
  );
}

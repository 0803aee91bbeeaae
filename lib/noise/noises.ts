import { focus } from "./focus.js";
import type { Noise } from "./noise.js";
import { occlusion } from "./occlusion.js";
import { perlin } from "./perlin.js";
import { resolution } from "./resolution.js";
import { rotation } from "./rotation.js";
import { translation } from "./translation.js";

/** The six noises of the paper by name, for normalised images. */
export const NOISES = {
  occlusion,
  focus,
  resolution,
  translation,
  perlin,
  rotation,
} as const satisfies Readonly<Record<string, Noise>>;

/** One of the six noises: a key of `NOISES`. */
export type NoiseName = keyof typeof NOISES;

/** The six noises, in the order of figures and tables. */
export const NOISE_NAMES = Object.keys(NOISES) as readonly NoiseName[];

import { focus, strongFocus } from "./focus.js";
import type { Noise } from "./noise.js";
import { occlusion } from "./occlusion.js";
import { perlin } from "./perlin.js";
import { resolution, strongResolution } from "./resolution.js";
import { rotation } from "./rotation.js";
import { strongTranslation, translation } from "./translation.js";

/** The noises by name, for normalised images: the six of the paper, as strong as in its published code. */
export const NOISES = {
  occlusion,
  focus,
  resolution,
  translation,
  perlin,
  rotation,
} as const satisfies Readonly<Record<string, Noise>>;

/** The name of a noise: a key of `NOISES`. */
export type NoiseName = keyof typeof NOISES;

/**
 * How strong noises are. "strong": as this project had them until 2026-11-26, with more blur, resolution that is never
 * left as it is, and a walk that begins anywhere; results from before are of these.
 */
export const NOISE_STRENGTHS = {
  published: NOISES,
  strong: { ...NOISES, focus: strongFocus, resolution: strongResolution, translation: strongTranslation },
} as const satisfies Readonly<Record<string, Readonly<Record<NoiseName, Noise>>>>;

/** The name of a set of strengths. */
export type NoiseStrength = keyof typeof NOISE_STRENGTHS;

/** The noises, in the order of figures and tables. */
export const NOISE_NAMES = Object.keys(NOISES) as readonly NoiseName[];

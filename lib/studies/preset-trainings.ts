import type { ResolvedDatasetSource } from "../datasets/source.js";
import { applyOverrides } from "../experiments/specs/overrides.js";
import { presetNamed, type PresetName } from "../experiments/specs/presets.js";
import { parseRunSpec, type RunSpec } from "../experiments/specs/spec.js";
import type { StudySettings } from "./study.js";

/** The training of a preset on `data` with a seed and overrides in place. */
export function presetTraining(
  preset: PresetName,
  seed: number,
  overrides: readonly string[],
  data: ResolvedDatasetSource,
): RunSpec {
  return parseRunSpec(applyOverrides({ ...presetNamed(preset), data, seed }, overrides), `preset ${preset}`);
}

/** The presets' trainings on `data` with a study's overrides, all of one seed before those of the next. */
export function presetTrainings(
  presets: readonly PresetName[],
  { seeds, overrides }: StudySettings,
  data: ResolvedDatasetSource,
): RunSpec[] {
  return seeds.flatMap((seed) => presets.map((preset) => presetTraining(preset, seed, overrides, data)));
}

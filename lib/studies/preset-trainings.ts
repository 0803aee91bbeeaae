import type { ResolvedDatasetSource } from "../datasets/source.js";
import { presetNamed, type PresetName } from "../experiments/specs/presets.js";
import type { RunSpec } from "../experiments/specs/spec.js";
import type { StudySettings } from "./study.js";
import { changedSpec, type SpecChange } from "../experiments/specs/spec-change.js";

/** The training of a preset on `data` with a seed and a change in place. */
export function presetTraining(
  preset: PresetName,
  seed: number,
  change: SpecChange,
  data: ResolvedDatasetSource,
): RunSpec {
  return changedSpec({ ...presetNamed(preset), data, seed }, change, `preset ${preset}`);
}

/** The presets' trainings on `data` with a study's change, all of one seed before those of the next. */
export function presetTrainings(
  presets: readonly PresetName[],
  { seeds, change }: StudySettings,
  data: ResolvedDatasetSource,
): RunSpec[] {
  return seeds.flatMap((seed) => presets.map((preset) => presetTraining(preset, seed, change, data)));
}

import type { ResolvedDatasetSource } from "../datasets/source.js";
import { applyOverrides } from "../experiments/overrides.js";
import { PRESETS, type PresetName } from "../experiments/presets.js";
import { parseRunSpec, type RunSpec } from "../experiments/spec.js";
import type { StudySettings } from "./study.js";

/** The presets' trainings on `data` with a study's overrides, all of one seed before those of the next. */
export function presetTrainings(
  presets: readonly PresetName[],
  { seeds, overrides }: StudySettings,
  data: ResolvedDatasetSource,
): RunSpec[] {
  return seeds.flatMap((seed) =>
    presets.map((preset) =>
      parseRunSpec(applyOverrides({ ...PRESETS[preset], data, seed }, overrides), `preset ${preset}`),
    ),
  );
}

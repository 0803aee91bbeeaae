import { resolveDatasetSource } from "../../lib/datasets/source.js";
import { combined, type SpecChange } from "../../lib/experiments/specs/spec-change.js";
import { presetNamed, type PresetName } from "../../lib/experiments/specs/presets.js";
import { parseRunSpec, type RunSpec } from "../../lib/experiments/specs/spec.js";

/** Without the presets' patch, which is larger than the images. */
const AUGMENTATION = { crop: 4, flip: true, occlusion: 0 };

/** Few images of 8 x 8 pixels. */
export const TINY_DATA = resolveDatasetSource({
  kind: "procedural",
  classes: 10,
  size: 8,
  train: 80,
  test: 20,
});

/** What a study of these changes of its presets, so that a training takes about a second. */
export const TINY_TRAINING: SpecChange = {
  train: { epochs: 1, batchSize: 16, augmentation: { occlusion: 0 } },
  validation: 0.125,
};

/** The same where all networks are ResNets. */
export const TINY_RESNETS: SpecChange = combined({ network: { width: 1 / 16 } }, TINY_TRAINING);

/** A preset at a size that trains in about a second: ResNet-18 of 4 to 32 channels on a few images of 8 x 8 pixels. */
export function tinyRunSpec(
  preset: PresetName,
  change: { readonly data?: object; readonly train?: object; readonly network?: object } = {},
): RunSpec {
  const base = presetNamed(preset);
  const spec = {
    ...base,
    data: { kind: "procedural", classes: 10, size: 8, train: 80, test: 20, ...change.data },
    validation: 0.125,
    network: {
      ...base.network,
      ...("width" in base.network && { width: 1 / 16 }),
      ...change.network,
    },
    train: { ...base.train, epochs: 2, batchSize: 16, augmentation: AUGMENTATION, ...change.train },
  };
  return parseRunSpec(spec, `tiny ${preset}`);
}

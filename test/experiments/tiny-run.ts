import type { SpecChange } from "../../lib/experiments/specs/spec-change.js";
import { presetNamed, type PresetName } from "../../lib/experiments/specs/presets.js";
import { parseRunSpec, type RunSpec } from "../../lib/experiments/specs/spec.js";

/** Without the presets' patch, which is larger than the images. */
const AUGMENTATION = { crop: 4, flip: true, occlusion: 0 };

/** The same for studies of tiny images, as a change. */
export const WHOLE_IMAGES: SpecChange = { train: { augmentation: { occlusion: 0 } } };

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

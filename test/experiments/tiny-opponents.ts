import type { PresetName } from "../../lib/experiments/specs/presets.js";
import type { RunSpec } from "../../lib/experiments/specs/spec.js";
import { tinyRunSpec } from "./tiny-run.js";

const MSDNET = {
  exits: 3,
  base: 1,
  channels: 2,
  growth: 2,
  scaleFactors: [1, 2],
  bottleneckFactors: [1, 2],
};
const STAGES = { channels: [2, 4], blocks: [1, 2] };

/** The opponents' presets at a size that trains in about a second, on images of 8 x 8 pixels. */
export const TINY_OPPONENTS = {
  msdnet: tinyRunSpec("msdnet", { network: MSDNET }),
  boostnet: tinyRunSpec("boostnet", { network: MSDNET }),
  "msdnet-mixed": tinyRunSpec("msdnet-mixed", { network: MSDNET }),
  "branchy-resnet": tinyRunSpec("branchy-resnet", {
    network: { ...STAGES, exits: [1, 2], branchConvolutions: [2, 0] },
  }),
  "ztw-resnet": tinyRunSpec("ztw-resnet", { network: { ...STAGES, exits: [1, 2, 3] } }),
  "small-resnet": tinyRunSpec("small-resnet", { network: STAGES }),
  "sdn-resnet": tinyRunSpec("sdn-resnet", { network: { ...STAGES, exits: [1, 2] } }),
} satisfies Partial<Record<PresetName, RunSpec>>;

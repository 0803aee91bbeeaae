import { multiExitArchitecture } from "./architecture.js";
import { RESIDUAL_FIELDS, residualExits, residualFault, residualLayout } from "./residual-exits.js";

const { channels, blocks } = RESIDUAL_FIELDS;

/**
 * A ResNet for small images (He et al., "Deep residual learning", 2016) that answers once, at its end: of several sizes a family of
 * networks to choose from, the opponent that needs no idea (`networkFamily`), or an ensemble by depth (`depthEnsemble`).
 */
export const SMALL_RESNET = multiExitArchitecture({
  name: "small-resnet",
  fields: { channels, blocks },
  model: "ResNet",
  exitWeights: "equal",
  faultOf: (own) => residualFault({ ...own, exits: [] }),
  build: (shared, own) =>
    residualExits({ ...shared, ...residualLayout({ ...own, exits: [] }) }, () => {
      throw new RangeError("a network without internal classifiers has no place for one");
    }),
});

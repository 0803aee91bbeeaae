import { gatherSteps, gatherStepsGradient } from "./backend/rows.js";
import { tf } from "./tensorflow.js";
import type { Layer, Sequence } from "./pass.js";
import { isIdentity, type StepSelection } from "./timeline.js";

/**
 * The distinct steps of `x` that a selection names, as a layer: nothing is copied where it names all of them in their
 * places. The pullback leaves `x`, which its maker frees.
 */
export function selectSteps(x: Sequence, selection: StepSelection): Layer {
  const { timeline } = selection;
  if (isIdentity(selection, x.timeline)) {
    return { y: { values: x.values, timeline }, pullback: (dy) => dy };
  }
  const values = gatherSteps(x.values, x.timeline, selection);
  return {
    y: { values, timeline },
    pullback: (dy) => {
      const dx = gatherStepsGradient(dy, x.timeline, selection);
      tf.dispose([dy, values]);
      return dx;
    },
  };
}

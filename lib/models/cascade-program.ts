import { branchChannels, type CascadeLayer, type DelayedLayer } from "../nn/cascade-layer.js";
import { outputSide } from "../nn/convolution.js";
import { type MergePlan, planMerge } from "../nn/delay.js";
import { headName } from "../nn/head.js";
import { planLayer, type Scheme } from "../nn/scheme.js";
import { POOL } from "../nn/stem.js";
import { ABSENT, type Timeline } from "../nn/timeline.js";
import type { CascadedNetwork } from "./cascaded-network.js";
import type { Program } from "./program.js";
import {
  addChain,
  addConvolutionAndNorm,
  addMeeting,
  addStepwise,
  beginDraft,
  type Draft,
  type EqualRowsOf,
  finish,
  shapeOf,
  type View,
} from "./program-draft.js";

/** The program of a cascade whose images have so many pixels a side and change as `images` says. */
export function cascadeProgram(
  network: CascadedNetwork,
  side: number,
  images: Timeline,
  equalRows: EqualRowsOf,
): Program {
  const { heads, scheme } = network.spec;
  const { draft, seen } = beginDraft(side, images, equalRows);
  const last = network.layers.reduce(
    (x, layer) => addLayer(draft, layer, scheme, x),
    addStem(draft, network, seen),
  );
  const features = addChain(draft, [{ kind: "globalAveragePool" }], last);
  const answers = features.timeline.step.map((step, t) => ({
    ...{ x: features.value, step },
    ...{ classifier: headName(heads, t), readsBefore: false },
  }));
  return finish(draft, answers);
}

function addStem(draft: Draft, { stem, stemDelay }: CascadedNetwork, images: View): View {
  const normalized = addConvolutionAndNorm(draft, stem, { name: "stem.norm", relu: true }, images);
  const { side, channels } = shapeOf(draft, normalized);
  const pooled = addStepwise(draft, { kind: "maxPool" }, normalized, {
    side: outputSide(POOL, side),
    channels,
  });
  const plan = planMerge(stemDelay, pooled.timeline);
  return addMeeting(draft, { combine: "add", residual: pooled.value, shortcut: undefined, plan }, channels);
}

function addLayer(draft: Draft, layer: CascadeLayer, scheme: Scheme, x: View): View {
  return layer.kind === "instant" ? addChain(draft, layer.chain, x) : addDelayed(draft, layer, scheme, x);
}

function addDelayed(draft: Draft, layer: DelayedLayer, scheme: Scheme, x: View): View {
  const { branchInput, plan } = planLayer(scheme, layer.position, x.timeline);
  const counts = branchInput.timeline.rows.length > 0;
  const branch = counts ? addChain(draft, layer.branch, { ...branchInput, value: x.value }) : undefined;
  const shortcut = addChain(draft, layer.shortcut, x);
  const { channels } = shapeOf(draft, shortcut);
  const meeting = {
    combine: layer.combine,
    residual: branch?.value,
    shortcut: shortcut.value,
    plan: branch ? plan(branch.timeline, shortcut.timeline) : shortcutAlone(shortcut.timeline),
  };
  return addMeeting(
    draft,
    meeting,
    layer.combine === "concatenate" ? channels + branchChannels(layer) : channels,
  );
}

/** Of a layer whose turn comes after the last timestep. */
function shortcutAlone(timeline: Timeline): MergePlan {
  const shortcut = timeline.rows.map((_, d) => d);
  return { timeline, carry: 0, gain: 1, firstCounted: 0, residual: shortcut.map(() => ABSENT), shortcut };
}
